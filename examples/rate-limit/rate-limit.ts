// A rate-limiting proxy: a token bucket for each client, in front of an origin.
//
// An instance lives for one request, and so does all that it remembers. So the bucket travels with
// its client, in a cookie that is signed, bound to the client's key and cannot be made up. Who brings
// none begins with an empty bucket, so that throwing the cookie away gains nothing. What this does
// not stop is a client that sends an old cookie again while it is valid: it keeps clients in line
// that cooperate; against others the bucket has to lie in a store that they cannot turn back.
//
// Environment: RATE_LIMIT_SECRET (needed), RATE_LIMIT_PER_SECOND, RATE_LIMIT_BURST, ORIGIN (a URL;
// without it the proxy answers by itself).
import { getEnvironment } from 'wasi:cli/environment@0.2.10';

interface Settings {
  secret: string;
  perSecond: number;
  burst: number;
  origin?: string;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

const COOKIE = 'bucket';
const NOT_FORWARDED = new Set(['connection', 'cookie', 'host', 'keep-alive', 'proxy-authorization', 'te',
  'transfer-encoding', 'upgrade', 'content-length']);
const encoder = new TextEncoder();

function number(text: string | undefined, fallback: number): number {
  const value = Number(text ?? fallback);
  return Number.isFinite(value) && value > 0 ? value : fallback;
}

function settings(): Settings {
  const env = new Map<string, string>(getEnvironment());
  return {
    secret: env.get('RATE_LIMIT_SECRET') ?? '',
    perSecond: number(env.get('RATE_LIMIT_PER_SECOND'), 5),
    burst: number(env.get('RATE_LIMIT_BURST'), 10),
    origin: env.get('ORIGIN'),
  };
}

function toHex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function signed(client: string, text: string): Uint8Array {
  return encoder.encode(JSON.stringify([client, text]));
}

function cookie(request: Request, name: string): string | undefined {
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const [key, value] = pair.trim().split('=', 2);
    if (key === name) return value;
  }
  return undefined;
}

// As full as it has become since; undefined when there is none that can be trusted.
async function readBucket(request: Request, client: string, key: CryptoKey, { perSecond, burst }: Settings, nowMs: number):
  Promise<Bucket | undefined> {
  const [, text, tokens, atMs, signature] = /^(([\d.]+)_(\d+))_([0-9a-f]{64})$/.exec(cookie(request, COOKIE) ?? '') ?? [];
  if (!text || !await crypto.subtle.verify('HMAC', key, fromHex(signature), signed(client, text))) return undefined;
  const passedMs = nowMs - Number(atMs);
  if (passedMs < 0 || passedMs > 1000 * burst / perSecond + 60_000) return undefined;
  return { tokens: Math.min(burst, Number(tokens) + passedMs / 1000 * perSecond), atMs: nowMs };
}

async function writeBucket(bucket: Bucket, client: string, key: CryptoKey, { perSecond, burst }: Settings): Promise<string> {
  const text = `${bucket.tokens.toFixed(3)}_${bucket.atMs}`;
  const signature = toHex(await crypto.subtle.sign('HMAC', key, signed(client, text)));
  return `${COOKIE}=${text}_${signature}; Max-Age=${Math.ceil(burst / perSecond) + 60}; Path=/; HttpOnly; SameSite=Strict`;
}

function json(status: number, value: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value) + '\n', { status, headers: { 'content-type': 'application/json', ...headers } });
}

async function forward(request: Request, origin: string | undefined): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  if (!origin) return json(200, { path: pathname + search, method: request.method });
  const headers = new Headers();
  for (const [name, value] of request.headers) if (!NOT_FORWARDED.has(name)) headers.append(name, value);
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
  try {
    const answer = await fetch(origin.replace(/\/$/, '') + pathname + search,
      { method: request.method, headers, body: hasBody ? await request.arrayBuffer() : undefined });
    const kept = new Headers();
    for (const [name, value] of answer.headers) if (!NOT_FORWARDED.has(name)) kept.append(name, value);
    return new Response(answer.body, { status: answer.status, headers: kept });
  } catch (error) {
    return json(502, { error: 'the origin does not answer', why: String(error) });
  }
}

async function answer(request: Request): Promise<Response> {
  const config = settings();
  if (!config.secret) return json(503, { error: 'RATE_LIMIT_SECRET is not set' });
  const client = request.headers.get('x-api-key') ?? '';
  const key = await crypto.subtle.importKey('raw', encoder.encode(config.secret), { name: 'HMAC', hash: 'SHA-256' }, false,
    ['sign', 'verify']);
  const nowMs = Date.now();
  const bucket = await readBucket(request, client, key, config, nowMs) ?? { tokens: 0, atMs: nowMs };
  const allowed = bucket.tokens >= 1;
  if (allowed) bucket.tokens -= 1;
  const response = allowed ? await forward(request, config.origin)
    : json(429, { error: 'too many requests' }, { 'retry-after': String(Math.ceil((1 - bucket.tokens) / config.perSecond)) });
  response.headers.append('set-cookie', await writeBucket(bucket, client, key, config));
  response.headers.set('ratelimit-limit', String(config.burst));
  response.headers.set('ratelimit-remaining', String(Math.floor(bucket.tokens)));
  return response;
}

addEventListener('fetch', (event: any) => event.respondWith(answer(event.request)));
