// Servers of a component, and requests to them, for component.mjs and component_peer.mjs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

// Sanitizer builds are several times slower; times are multiplied by this.
export const SLOW = Number(process.env.MAYFLY_SLOW ?? 1);

const START_MS_MAX = 60_000 * SLOW;

export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function started(child, server, pattern) {
  await new Promise((resolve, reject) => {
    const fail = (why) => {
      child.kill('SIGKILL');
      reject(new Error(`${why}: ${server.log}`));
    };
    const late = setTimeout(() => fail('did not start'), START_MS_MAX);
    const look = () => {
      const found = pattern.exec(server.out) ?? pattern.exec(server.log);
      if (!found) return;
      clearTimeout(late);
      if (found[1]) server.port = Number(found[1]);
      resolve();
    };
    child.on('exit', (code) => fail(`ended with ${code}`));
    child.stdout.on('data', (bytes) => { server.out += bytes; look(); });
    child.stderr.on('data', (bytes) => { server.log += bytes; look(); });
  });
  child.removeAllListeners('exit');
  return server;
}

export async function serveMayfly(mayfly, guest, ...options) {
  const child = spawn(mayfly, ['serve', '--listen', '127.0.0.1:0', '--access-log', ...options, guest],
    { stdio: ['ignore', 'pipe', 'pipe'] });
  const server = { name: 'mayfly', child, log: '', out: '' };
  return started(child, server, /listening on http:\/\/127\.0\.0\.1:(\d+)\n/);
}

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}

export async function serveJco(jco, guest, folder) {
  const port = await freePort();
  const child = spawn(process.execPath, ['--no-warnings', jco, 'serve', '--isolate-requests', 'instance',
    '--host', '127.0.0.1', '--port', String(port), '--jco-dir', folder, guest],
  { stdio: ['ignore', 'pipe', 'pipe'] });
  return started(child, { name: 'jco', child, port, log: '', out: '' }, /Server listening/);
}

export async function stop(server, signal = 'SIGTERM') {
  server.child.kill(signal);
  const [code] = await once(server.child, 'exit');
  return code;
}

// `body`: a string, a Buffer or an async iterable, which goes in chunks.
export function ask(server, path, { method = 'GET', headers = {}, body, agent = false } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port: server.port, path, method, headers, agent },
      async (response) => {
        const pieces = [];
        let cut = false;
        try {
          for await (const piece of response) pieces.push(piece);
        } catch {
          cut = true;
        }
        const bytes = Buffer.concat(pieces);
        resolve({ status: response.statusCode, headers: response.headers, bytes, text: String(bytes),
          cut, trailers: response.trailers, pieces: pieces.length });
      });
    request.on('error', reject);
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) request.end(body);
    else {
      (async () => {
        for await (const piece of body) {
          if (!request.write(piece)) await once(request, 'drain');
        }
        request.end();
      })().catch(() => request.destroy());
    }
  });
}

export const lines = (server, word) => server.log.split('\n').filter((line) => line.includes(word));

export async function until(condition, what) {
  for (let i = 0; i < 400; i++) {
    if (condition()) return;
    await pause(10 * SLOW);
  }
  assert.fail(`never: ${what()}`);
}
