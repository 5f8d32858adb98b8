// The smallest component for wasi:http in JavaScript: a fetch handler that says hello.
addEventListener('fetch', (event) => {
  event.respondWith(new Response('Hello from a component in JavaScript\n', {
    headers: { 'content-type': 'text/plain' },
  }));
});
