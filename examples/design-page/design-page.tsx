/** @jsxImportSource preact */
// Renders a page of the design system in components.tsx on the server, for the one who asks: the
// name and the theme come from cookies, which the form at /greet sets. No script runs in the browser.
import { renderToString } from 'preact-render-to-string';
import { Avatar, Badge, Button, Card, Field, Page, Row, Stack, type ThemeName } from './components.tsx';

const NAME_UNITS_MAX = 60;
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'private, no-cache',
  vary: 'cookie',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
};

function cookie(request: Request, name: string): string {
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (pair.slice(0, at).trim() !== name) continue;
    try {
      return decodeURIComponent(pair.slice(at + 1).trim());
    } catch {
      return ''; // not one that we have set
    }
  }
  return '';
}

const themeOf = (text: string | null): ThemeName => (text === 'dark' ? 'dark' : 'light');

function App({ name, theme, base }: { name: string; theme: ThemeName; base: string }) {
  return (
    <Page title={name ? `Hello, ${name}` : 'Hello'} theme={theme}>
      <Stack>
        <Card title={name ? `Hello, ${name}!` : 'Hello, stranger!'}>
          <Row>
            <Avatar name={name} />
            <Badge>{theme}</Badge>
            <Badge>rendered at the edge</Badge>
          </Row>
        </Card>
        <Card title="Who are you?">
          <form action={`${base}greet`} method="get">
            <Stack>
              <Field name="name" label="Name" value={name} />
              <Row>
                <Button>Greet me</Button>
                <Button href={`${base}greet?theme=${theme === 'dark' ? 'light' : 'dark'}`}>Other theme</Button>
              </Row>
            </Stack>
          </form>
        </Card>
      </Stack>
    </Page>
  );
}

// What the form sends becomes cookies; the page itself stays at its address.
function greet(url: URL, base: string): Response {
  const headers = new Headers({ location: base });
  const [name, theme] = [url.searchParams.get('name'), url.searchParams.get('theme')];
  const rest = `Path=${base}; Max-Age=31536000; HttpOnly; SameSite=Lax`;
  if (name !== null) headers.append('set-cookie', `name=${encodeURIComponent(name.slice(0, NAME_UNITS_MAX).toWellFormed())}; ${rest}`);
  if (theme !== null) headers.append('set-cookie', `theme=${themeOf(theme)}; ${rest}`);
  return new Response(null, { status: 303, headers });
}

function answer(request: Request): Response {
  const url = new URL(request.url);
  if (request.method !== 'GET' && request.method !== 'HEAD') return new Response('GET or HEAD\n', { status: 405, headers: { allow: 'GET, HEAD' } });
  if (url.pathname.endsWith('/greet')) return greet(url, url.pathname.slice(0, -'greet'.length));
  if (!url.pathname.endsWith('/')) return new Response('not here\n', { status: 404 });
  const name = cookie(request, 'name').slice(0, NAME_UNITS_MAX);
  const theme = themeOf(cookie(request, 'theme'));
  const html = `<!doctype html>${renderToString(<App name={name} theme={theme} base={url.pathname} />)}\n`;
  return new Response(request.method === 'HEAD' ? null : html, { headers: HEADERS });
}

addEventListener('fetch', (event: any) => event.respondWith(answer(event.request)));
