// Parses a body of JSON and sends it back: for script/bench js, on Mayfly and on workerd.
async function echo(request) {
  const value = await request.json();
  return new Response(JSON.stringify(value), { headers: { 'content-type': 'application/json' } });
}

addEventListener('fetch', (event) => event.respondWith(echo(event.request)));
