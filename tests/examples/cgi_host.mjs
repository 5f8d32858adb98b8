// A CGI host of a hundred lines on Node's own WASI: an HTTP server that starts a process with a
// fresh instance of FOLDER/NAME.wasm for each request to /NAME/. A reference to compare with, not
// for use.
//
//     node cgi_host.mjs FOLDER          serve, print `listening on http://…`
//     node cgi_host.mjs --guest FILE    run one guest with this process's environment and stdio
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HEAD_BYTES_MAX = 65536;

async function runGuest(file) {
  const { WASI } = await import('node:wasi');
  const env = JSON.parse(process.env.GUEST_ENV);
  const wasi = new WASI({ version: 'preview1', args: [path.basename(file, '.wasm')], env });
  const module = await WebAssembly.compile(readFileSync(file));
  const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
  process.exitCode = wasi.start(instance);
}

// RFC 3875 §4.1
function metaVariables(request, name, rest) {
  const url = new URL(request.url, 'http://localhost');
  const env = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    PATH_INFO: decodeURIComponent(rest),
    QUERY_STRING: url.search.slice(1),
    REMOTE_ADDR: request.socket.remoteAddress,
    REQUEST_METHOD: request.method,
    SCRIPT_NAME: `/${name}`,
    SERVER_NAME: 'localhost',
    SERVER_PORT: String(request.socket.localPort),
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_SOFTWARE: 'cgi_host',
  };
  for (const [key, value] of Object.entries(request.headers)) {
    if (key === 'content-length') env.CONTENT_LENGTH = value;
    else if (key === 'content-type') env.CONTENT_TYPE = value;
    else env[`HTTP_${key.toUpperCase().replaceAll('-', '_')}`] = String(value);
  }
  return env;
}

function sendHead(response, head) {
  let status = 200;
  for (const line of head.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const key = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (key === 'status') status = Number(value.slice(0, 3));
    else response.appendHeader(key, value);
  }
  response.writeHead(status);
}

function answer(request, response, file, env) {
  const child = spawn(process.execPath, ['--no-warnings', import.meta.filename, '--guest', file], {
    env: { GUEST_ENV: JSON.stringify(env) },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => {}); // a guest need not read its body
  request.pipe(child.stdin);
  let waiting = Buffer.alloc(0);
  child.stdout.on('data', function head(chunk) {
    waiting = Buffer.concat([waiting, chunk]);
    const end = /\r?\n\r?\n/.exec(waiting.toString('latin1'));
    if (!end) {
      if (waiting.length > HEAD_BYTES_MAX) child.kill();
      return;
    }
    child.stdout.off('data', head);
    sendHead(response, waiting.subarray(0, end.index).toString('latin1'));
    response.write(waiting.subarray(end.index + end[0].length));
    child.stdout.pipe(response);
  });
  child.stdout.on('end', () => {
    if (!response.headersSent) response.writeHead(502).end();
  });
}

function serve(folder) {
  const server = http.createServer((request, response) => {
    const [, name, rest] = /^\/([a-z0-9-]+)(\/[^?]*)?/.exec(request.url) ?? [];
    const file = path.join(folder, `${name}.wasm`);
    if (!name || !existsSync(file)) return response.writeHead(404).end();
    answer(request, response, file, metaVariables(request, name, rest ?? ''));
  });
  server.listen(0, '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--guest') await runGuest(process.argv[3]);
  else serve(process.argv[2]);
}
