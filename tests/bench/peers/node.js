// Node.js with its own http module, which translates the answer.
const http = require('http');
const [port, upstream] = process.argv.slice(2).map(Number);
const agent = new http.Agent({keepAlive: true, maxSockets: 256});
const route = /^\/api\/projects\/[^/]+\/personas\/([^/]+)$/;

http.createServer((request, answer) => {
	const match = route.exec(request.url);

	if (!match) {
		answer.writeHead(404).end();
		return;
	}
	http.get({host: '127.0.0.1', port: upstream, path: '/v1/customer-persona/' + match[1], agent,
		headers: {'X-API-Key': 'bench'}}, (received) => {
		let text = '';

		received.setEncoding('utf8');
		received.on('data', (piece) => { text += piece; });
		received.on('end', () => {
			const p = JSON.parse(text);
			const body = JSON.stringify({id: p.id, name: p.name, description: p.description,
				systemPrompt: p.goal, createdAt: p.created_at, updatedAt: p.created_at});

			answer.writeHead(200, {'Content-Type': 'application/json',
				'Content-Length': Buffer.byteLength(body)});
			answer.end(body);
		});
	});
}).listen(port, '127.0.0.1');
