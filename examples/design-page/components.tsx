/** @jsxImportSource preact */
// A small design system: tokens, and components that are made of them.
import type { ComponentChildren } from 'preact';

export const themes = {
  light: { page: '#f6f7f9', card: '#ffffff', text: '#1c2430', soft: '#5c6675', line: '#dde2e8', accent: '#2456c8', accentText: '#ffffff' },
  dark: { page: '#12161c', card: '#1b212a', text: '#e8ecf2', soft: '#97a2b2', line: '#2c3542', accent: '#7aa2ff', accentText: '#0c1220' },
};
export type ThemeName = keyof typeof themes;

const SPACE = ['0', '4px', '8px', '16px', '24px', '40px'];

// One rule for each token and component; class names are the components'.
export function styles(name: ThemeName): string {
  const tokens = Object.entries(themes[name]).map(([key, value]) => `--${key}:${value}`).join(';');
  return `:root{${tokens}}`
    + `body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif}`
    + `.page{max-width:720px;margin:0 auto;padding:${SPACE[5]} ${SPACE[3]}}`
    + `.stack{display:grid;gap:${SPACE[3]}}.row{display:flex;gap:${SPACE[2]};align-items:center;flex-wrap:wrap}`
    + `.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:${SPACE[4]}}`
    + `.button{background:var(--accent);color:var(--accentText);border:0;border-radius:6px;padding:${SPACE[2]} ${SPACE[3]};font:inherit;text-decoration:none}`
    + `.badge{border:1px solid var(--line);border-radius:99px;padding:0 ${SPACE[2]};color:var(--soft);font-size:14px}`
    + `.avatar{width:40px;height:40px;border-radius:50%;background:var(--accent);color:var(--accentText);display:grid;place-items:center}`
    + `.field{padding:${SPACE[2]};border:1px solid var(--line);border-radius:6px;background:var(--page);color:inherit;font:inherit}`;
}

type Children = { children?: ComponentChildren };

export const Stack = ({ children }: Children) => <div class="stack">{children}</div>;
export const Row = ({ children }: Children) => <div class="row">{children}</div>;
export const Badge = ({ children }: Children) => <span class="badge">{children}</span>;

export const Card = ({ title, children }: Children & { title: string }) => (
  <section class="card"><h2>{title}</h2>{children}</section>
);

export const Button = ({ href, children }: Children & { href?: string }) => (
  href ? <a class="button" href={href}>{children}</a> : <button class="button">{children}</button>
);

export const Field = ({ name, label, value }: { name: string; label: string; value: string }) => (
  <label class="row">{label}<input class="field" name={name} value={value} maxLength={60} /></label>
);

export const Avatar = ({ name }: { name: string }) => (
  <span class="avatar" aria-hidden="true">{[...name][0]?.toUpperCase() ?? '?'}</span>
);

export const Page = ({ title, theme, children }: Children & { title: string; theme: ThemeName }) => (
  <html lang="en">
    <head>
      <meta charSet="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>{title}</title>
      <style dangerouslySetInnerHTML={{ __html: styles(theme) }} />
    </head>
    <body><main class="page">{children}</main></body>
  </html>
);
