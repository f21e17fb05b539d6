// The translation in njs: the answer of one persona comes in one piece.
function head(r) {
	delete r.headersOut['Content-Length'];
}

function body(r, data, flags) {
	if (data.length === 0) {
		r.sendBuffer(data, flags);
		return;
	}
	const p = JSON.parse(data);
	r.sendBuffer(JSON.stringify({id: p.id, name: p.name, description: p.description,
		systemPrompt: p.goal, createdAt: p.created_at, updatedAt: p.created_at}), flags);
}

export default {head, body};
