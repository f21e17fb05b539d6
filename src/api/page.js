/*
 * Shows what the admin address tells as JSON. All of it is text of strangers: it
 * is only ever put into text nodes and checked attributes, never read as markup.
 */

const REFRESH_MS = 5000; // while the page can be seen
const REFRESH_MAX_MS = 60000; // between looks at a gateway that does not answer
const PROJECTS_SHOWN = 200;
const LONG = 280; // characters or so; longer values are folded
const LONG_LINES = 8;
const OPEN = 6; // personas at most, for their fields to be open from the start

const state = {
	overview: null,
	details: null,
	drift: null,
	project: null, // id of the one that is shown
	failures: 0,
	timer: 0,
	looks: 0, // only the answers of the last look are shown
	cards: new Map(), // id of a persona -> {key, node}
	made: 0, // cards so far
	shown: new Map(), // element -> what it shows, as text
};

const $ = (id) => document.getElementById(id);

/* ---- building ---- */

// Makes an element with attributes and children; a text becomes a text node.
function el(tag, attributes, ...children) {
	const node = document.createElement(tag);

	for (const [name, value] of Object.entries(attributes || {}))
		if (value !== undefined && value !== null)
			node.setAttribute(name, value);
	node.append(...children.filter((c) => c !== null && c !== undefined));
	return node;
}

// Sets a text only when it differs, so that nothing is read aloud twice.
function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

// Draws a part anew only when what it shows has changed: focus stays where it is.
function draw(node, data, make) {
	const text = JSON.stringify(data);

	if (state.shown.get(node) === text)
		return;
	state.shown.set(node, text);
	node.replaceChildren(...make());
}

// A table. Its roles are said aloud: on a narrow screen its cells are stacked, and
// some browsers then forget them.
function table(label, heads, rows) {
	return el("table", { role: "table", "aria-labelledby": label },
		el("thead", { role: "rowgroup", class: "hidden" }, el("tr", { role: "row" },
			...heads.map((h) => el("th", { role: "columnheader", scope: "col" }, h)))),
		el("tbody", { role: "rowgroup" }, ...rows));
}

function row(head, ...cells) {
	return el("tr", { role: "row" }, el("th", { role: "rowheader", scope: "row" }, ...head),
		...cells.map((c) => el("td", { role: "cell" }, ...c)));
}

function number(n) {
	return Number(n).toLocaleString("en");
}

function count(n, one, many) {
	return n === 1 ? "1 " + one : number(n) + " " + many;
}

// "2026-11-25 20:04:45" of the moment in UTC.
function moment(text) {
	return String(text).slice(0, 19).replace("T", " ") + " UTC";
}

/* ---- the state of the gateway ---- */

// What is wrong, most important first.
function troubles(o) {
	const list = [];

	if (o.upstream.keyRefused)
		list.push("Bluejay refuses the API key");
	if (o.upstream.breaker !== "closed")
		list.push("Bluejay is failing");
	if (o.upstream.manyGone)
		list.push("Known personas are missing in Bluejay");
	if (!o.store.readable)
		list.push("The store cannot be read");
	if (!o.store.writable)
		list.push("The store cannot be written");
	if (state.drift.resources.some((r) => r.differences.some((d) => d.current && d.kind === "retyped")))
		list.push("Bluejay's answers have another form");
	return list;
}

function tile(name, value, more, mood) {
	return el("div", { class: mood }, el("dt", null, name), el("dd", null, value),
		more ? el("dd", null, more) : null);
}

function upstreamTile(o) {
	const words = {
		closed: ["Open to calls", "is-good"],
		open: ["Calls are held back", "is-bad"],
		probing: ["Being tried again", "is-bad"],
	}[o.upstream.breaker];

	return tile(o.upstream.simulated ? "Bluejay (simulated)" : "Bluejay", words[0],
		o.upstream.simulated ? "the sandbox of this program" : o.upstream.host, words[1]);
}

function keyTile(o) {
	if (o.upstream.keyRefused)
		return tile("API key", "Refused", "Bluejay answers 401 or 403", "is-bad");
	if (o.upstream.manyGone)
		return tile("API key", "Doubted", "known personas in a row were not found; another account?", "is-bad");
	return tile("API key", "Not refused", "as of the last answer", "is-good");
}

function storeTile(o) {
	if (!o.store.readable)
		return tile("Store", "Cannot be read", null, "is-bad");
	if (!o.store.writable)
		return tile("Store", "Cannot be written", "the last write did not reach the disk", "is-bad");
	return tile("Store", "Works", "the last write reached the disk", "is-good");
}

function stateTiles(o) {
	const reads = o.cache.hits + o.cache.misses;

	return [
		upstreamTile(o),
		keyTile(o),
		storeTile(o),
		tile("Calls to Bluejay", count(o.upstream.inFlight, "running", "running"),
			number(o.upstream.queued) + " waiting, " + number(o.upstream.calls) + " so far, " +
			number(o.upstream.failures) + " failed"),
		tile("Reads from memory", number(o.cache.hits) + " of " + number(reads),
			number(o.cache.joined) + " shared, " + number(o.cache.stale) + " answered from an old copy"),
		tile("Unsettled writes", number(o.unsettled),
			o.unsettled > 0 ? "their outcome is being looked for" : "the outcome of every write is known",
			o.unsettled > 0 ? "is-odd" : "is-good"),
		tile("Portraits", o.portraits.provider ? count(o.portraits.inFlight, "being drawn", "being drawn") :
			"No provider", o.portraits.provider ? number(o.portraits.queued) + " waiting" :
			"generate-image answers 400"),
	];
}

function drawState(o) {
	const list = troubles(o);

	setText($("about"), "Version " + o.version + ", running since " + moment(o.startedAt));
	$("verdict").className = "verdict " + (list.length > 0 ? "bad" : "good");
	setText($("verdict"), list.length > 0 ? list.join("; ") : "Everything works");
	draw($("state"), [o.upstream, o.store, o.cache, o.portraits, o.unsettled], () => stateTiles(o));
}

/* ---- projects ---- */

function projectLink(p) {
	return el("li", null, el("a", {
		href: "#/" + encodeURIComponent(p.id),
		"aria-current": p.id === state.project ? "page" : undefined,
	}, el("bdi", null, p.name),
		el("span", null, p.personas === undefined ? "" : count(p.personas, "persona", "personas"))));
}

function projectsNote(o) {
	const more = o.projects.length - PROJECTS_SHOWN;
	const notes = [];

	if (o.projects.length === 0)
		notes.push("There is no project with personas yet.");
	if (more > 0)
		notes.push(number(more) + (o.projectsCut ? " and more" : "") +
			" are not listed here; write a project's id after #/ in the address.");
	if (o.otherProjects)
		notes.push("Every other project id is admitted too.");
	return notes.join(" ");
}

function drawProjects(o) {
	draw($("projects"), [o.projects, state.project], () =>
		o.projects.slice(0, PROJECTS_SHOWN).map(projectLink));
	setText($("projects-note"), projectsNote(o));
}

/* ---- where fields live ---- */

function lives(field) {
	if (field.lives === "bluejay")
		return el("span", { class: "badge bluejay" }, "Bluejay: " + field.bluejay);
	return el("span", { class: "badge " + field.lives },
		field.lives === "kept" ? "Kept by the gateway" : "Made by the gateway");
}

function fieldRow(field) {
	return row([el("strong", null, field.field), lives(field)],
		[field.type + (field.readOnly ? ", read only" : "")],
		[field.line ? "line " + field.line + ", column " + field.column : "built in"]);
}

/* ---- where Bluejay's answers differ from what is declared ---- */

const DRIFT = { new: ["New", "made"], missing: ["Missing", "bad"], retyped: ["In another form", "bad"] };

function driftRow(resource, d) {
	const [name, mood] = DRIFT[d.kind];
	const what = "It is " + (d.seen || "missing") + (d.declared ? "; declared is " + d.declared : "");

	return row([el("strong", null, el("bdi", null, d.path)),
		el("span", { class: "badge " + mood }, name + ", " + resource)],
	[what],
	[count(d.count, "time", "times"), el("span", { class: "note" },
		" " + (d.current ? "last seen " : "over; last seen ") + moment(d.lastSeenAt))]);
}

function drawDrift(d) {
	const rows = d.resources.flatMap((r) => r.differences.map((one) => [r.resource, one]));
	const beyond = d.resources.reduce((sum, r) => sum + r.beyond, 0);

	$("drift").hidden = rows.length === 0;
	draw($("drift-table"), rows, () => [table("drift-title", ["Member", "What it is", "Seen"],
		rows.map(([resource, one]) => driftRow(resource, one)))]);
	setText($("drift-note"), beyond > 0 ? "And " + number(beyond) + " times at further paths." : "");
}

/* ---- personas ---- */

// Whether a text can be the id of an image in the gateway's store.
function isImage(text) {
	return /^[0-9A-Za-z][0-9A-Za-z.-]{0,46}$/.test(text || "");
}

function placeholder(name) {
	return el("span", { class: "portrait", "aria-hidden": "true" }, Array.from(name.trim())[0] || "?");
}

function portrait(persona, name) {
	const id = (persona.values || {}).imageUrl;
	let image;

	if (!isImage(id))
		return placeholder(name);
	image = el("img", {
		class: "portrait",
		src: "projects/" + encodeURIComponent(state.project) + "/images/" + encodeURIComponent(id),
		alt: "Portrait of " + name,
		loading: "lazy",
		decoding: "async",
	});
	image.addEventListener("error", () => image.replaceWith(placeholder(name)), { once: true });
	return image;
}

// A value as text. Prose is set as such; ids, times and JSON are easier to compare
// in letters of one width.
function text(value, type) {
	const plain = type === "string" && (/\s/.test(value) || value.length < 20);

	return el("span", { class: plain ? "value" : "value code", dir: "auto" }, value);
}

// A value, folded when it is long.
function shownValue(value, type, length) {
	const cut = length === undefined ? null :
		el("span", { class: "note" }, "Cut here: all of it is " + number(length) + " bytes.");
	const start = Array.from(value.slice(0, LONG / 2)).slice(0, -1).join("").replace(/\s+/g, " ");

	if (value.length <= LONG && value.split("\n", LONG_LINES + 1).length <= LONG_LINES)
		return [text(value, type), cut];
	return [el("details", null, el("summary", null, text(start + "…", type)), text(value, type)), cut];
}

// What a persona has in a field.
function cell(persona, field) {
	const value = persona.values[field.field];

	if (value === undefined || value === "")
		return [el("em", { class: "none" }, value === undefined ? "absent" : "empty")];
	return shownValue(value, field.type, persona.lengths[field.field]);
}

function badges(persona) {
	const list = [];

	if (persona.adopted)
		list.push(["bluejay", "Made in Bluejay, adopted"]);
	if (persona.unclaimed)
		list.push(["kept", "Unclaimed: its creator was never told its id"]);
	if (persona.unsettled)
		list.push(["bad", "Outcome of a write unknown: " + persona.unsettled]);
	if (!persona.values)
		list.push(["bad", "Bluejay's copy does not have the declared form"]);
	if (persona.bluejayId !== persona.id)
		list.push(["made", "In Bluejay: " + persona.bluejayId]);
	if (list.length === 0)
		return null;
	return el("ul", { class: "badges" }, ...list.map(([kind, words]) =>
		el("li", { class: "badge " + kind }, words)));
}

function nameOf(persona) {
	return (persona.values || {}).name || persona.id;
}

// The fields of a persona, folded unless there are few personas and much room.
function fieldsOf(persona, fields, label, open) {
	const values = fields.filter((f) => persona.values[f.field] !== undefined).length;

	return el("details", { class: "fields", open: open ? "" : null },
		el("summary", null, values + " of " + count(fields.length, "field has", "fields have") + " a value"),
		table(label, ["Field, and where it lives", "Value"], fields.map((f) =>
			row([el("strong", null, f.field), lives(f)], cell(persona, f)))));
}

function card(persona, fields, open) {
	const name = nameOf(persona);
	const id = "persona-" + ++state.made;
	const seen = persona.seenAt ? "As Bluejay had it at " + moment(persona.seenAt) : "Not seen in Bluejay yet";

	return el("article", { "aria-labelledby": id },
		el("div", null, portrait(persona, name),
			el("div", null, el("h3", { id }, el("bdi", null, name)),
				el("p", { class: "note" }, seen), badges(persona))),
		persona.values ? fieldsOf(persona, fields, id, open) : null);
}

// Whether a card's fields are open: as they were, or as there is room.
function isOpen(old, personas) {
	const fold = old && old.node.querySelector("details.fields");

	if (fold)
		return fold.open;
	return personas <= OPEN && matchMedia("(min-width: 60rem)").matches;
}

// Keeps what is there and has not changed, so that open folds and focus stay.
function drawCards(list, fields) {
	const box = $("personas");
	const cards = new Map();
	const filter = $("filter").value.trim().toLowerCase();
	const shape = JSON.stringify(fields);

	for (const persona of list.filter((p) => nameOf(p).toLowerCase().includes(filter))) {
		const key = state.project + shape + JSON.stringify(persona);
		const old = state.cards.get(persona.id);

		cards.set(persona.id, old && old.key === key ? old :
			{ key, node: card(persona, fields, isOpen(old, list.length)) });
	}
	Array.from(cards.values()).forEach((c, i) => {
		if (box.children[i] !== c.node)
			box.insertBefore(c.node, box.children[i] || null);
	});
	while (box.children.length > cards.size)
		box.lastChild.remove();
	state.cards = cards;
}

function projectNote(o, id) {
	const p = o.projects.find((one) => one.id === id);

	if (p && p.agentId !== undefined)
		return "Agent " + p.agentId + " of Bluejay lists its personas." + (p.name === p.id ? "" : " Its id is " + p.id + ".");
	return "Without an agent: the gateway's own record is its list." +
		(p && p.name !== p.id ? " Its id is " + p.id + "." : "");
}

function countNote(d) {
	const filter = $("filter").value.trim();

	if (d.total === 0)
		return "No persona of this project is known here yet. The gateway reads them when a client asks, or with the button.";
	if (filter !== "")
		return count(state.cards.size, "persona", "personas") + " with “" + filter + "” in the name, of " +
			count(d.personas.length, "that is", "that are") + " shown";
	if (d.personas.length < d.total)
		return "The list is cut: the oldest " + number(d.personas.length) + " of " + number(d.total) + " personas";
	return count(d.total, "persona", "personas");
}

function writeRow(w) {
	const words = {
		pending: "being sent",
		unknown: "its outcome is being looked for",
		operator: "waits for an operator",
	};

	return row([el("strong", null, w.kind === "persona" ? w.operation : w.operation + " " + w.kind),
		el("bdi", null, w.name || w.personaId || w.communityId || "")],
		["since " + moment(w.createdAt)], [words[w.state] || w.state]);
}

function drawProject(o, d) {
	const known = o.projects.find((p) => p.id === state.project);

	setText($("personas-title"), "Personas of " + (known ? known.name : state.project));
	setText($("project-note"), projectNote(o, state.project));
	$("filter-label").hidden = d.personas.length < 2 && $("filter").value === "";
	drawCards(d.personas, o.fields);
	setText($("count"), countNote(d));
	$("writes").hidden = d.writes.length === 0;
	draw($("writes-table"), d.writes, () => [
		table("writes-title", ["Write, and what it is about", "Since", "State"], d.writes.map(writeRow))]);
	document.title = (known ? known.name : state.project) + " – Persona gateway";
}

// Shows that there is nothing to show of a project, and why.
function drawNothing(title, why) {
	setText($("personas-title"), title);
	setText($("project-note"), "");
	setText($("count"), why);
	$("writes").hidden = true;
	$("filter-label").hidden = true;
	$("personas").replaceChildren();
	state.cards.clear();
}

/* ---- looking ---- */

// Reads JSON; throws a sentence.
async function read(path) {
	const answer = await fetch(path, { headers: { Accept: "application/json" } });
	const body = answer.status === 204 ? null : await answer.json();

	if (!answer.ok)
		throw Object.assign(new Error(body.error || "HTTP " + answer.status), { status: answer.status });
	return body;
}

// The project that the address names after "#/"; null for none.
function named() {
	const id = location.hash.slice(2);

	if (!location.hash.startsWith("#/") || id === "")
		return null;
	try {
		return decodeURIComponent(id);
	} catch {
		return id; // as it stands there
	}
}

// The project to show: the one that is named, else the one that is shown, else the first.
function chosen(o) {
	return named() || state.project || (o.projects.length > 0 ? o.projects[0].id : null);
}

function drawAll() {
	const o = state.overview;

	drawState(o);
	drawProjects(o);
	draw($("fields"), o.fields, () => [
		table("fields-title", ["Field, and where it lives", "Type", "Declared"], o.fields.map(fieldRow))]);
	drawDrift(state.drift);
	$("refresh").hidden = state.project === null;
	if (state.project === null)
		drawNothing("Personas", "There is no project yet. It appears here with its first persona.");
	else if (state.details.error)
		drawNothing("Personas of " + state.project, state.details.error);
	else
		drawProject(o, state.details);
}

async function lookAtProject() {
	if (state.project === null)
		return null;
	try {
		return await read("projects/" + encodeURIComponent(state.project) + "/personas");
	} catch (e) {
		if (!e.status)
			throw e;
		return { error: e.message + "." };
	}
}

// Reads everything that is shown; null when the gateway does not answer.
async function readAll() {
	try {
		const overview = await read("overview");

		state.project = chosen(overview);
		return { overview, drift: await read("drift"), details: await lookAtProject() };
	} catch {
		return null;
	}
}

// One look. The next one comes by the clock, later and later while nothing answers.
async function look() {
	const turn = ++state.looks;

	clearTimeout(state.timer);
	const seen = await readAll();

	if (turn !== state.looks)
		return;
	state.failures = seen ? 0 : state.failures + 1;
	wait();
	$("trouble").hidden = seen !== null;
	if (seen) {
		Object.assign(state, seen);
		drawAll();
		setText($("read-at"), "Read at " + new Date().toLocaleTimeString("en-GB"));
	} else {
		setText($("trouble"), "The gateway does not answer. " + (state.overview ?
			"What is shown is from the last time that it did." : "There is nothing to show yet."));
	}
}

// Sets the clock, if the page can be seen and shall refresh by itself.
function wait() {
	clearTimeout(state.timer);
	if ($("auto").checked && !document.hidden)
		state.timer = setTimeout(look, Math.min(REFRESH_MS * 2 ** state.failures, REFRESH_MAX_MS));
}

/* ---- the button ---- */

function tell(words, mood) {
	$("refresh-note").className = "notice " + mood;
	$("refresh-note").hidden = false;
	setText($("refresh-note"), words);
}

// Has the gateway read the project's list from Bluejay.
async function refresh() {
	const button = $("refresh");

	if (button.getAttribute("aria-disabled") === "true" || state.project === null)
		return;
	button.setAttribute("aria-disabled", "true");
	tell("Reading from Bluejay …", "");
	try {
		const answer = await fetch("projects/" + encodeURIComponent(state.project) + "/refresh", {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: "{}",
		});

		if (answer.ok)
			tell("Read from Bluejay at " + new Date().toLocaleTimeString("en-GB") + ".", "good");
		else
			tell((await answer.json()).error + ".", "bad");
	} catch {
		tell("The gateway does not answer.", "bad");
	}
	button.removeAttribute("aria-disabled");
	look();
}

$("refresh").addEventListener("click", refresh);
$("filter").addEventListener("input", () => state.details && !state.details.error && drawAll());
$("auto").addEventListener("change", () => ($("auto").checked ? look() : wait()));
document.addEventListener("visibilitychange", () =>
	(document.hidden || !$("auto").checked ? wait() : look()));
window.addEventListener("hashchange", () => {
	if (named() === null || named() === state.project)
		return;
	$("refresh-note").hidden = true;
	$("filter").value = "";
	look();
});
look();
