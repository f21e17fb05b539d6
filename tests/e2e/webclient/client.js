"use strict";

/* A local tool's web client, as small as one can be that makes all calls of the
 * Personas API and of its images, and some of the tool's own. */

const byId = (id) => document.getElementById(id);
let project = "", edited = null;

/* The value of an answer's body; an error carries the server's sentence. */
async function api(method, path, body) {
	const init = { method };

	if (body !== undefined) {
		init.headers = { "Content-Type": "application/json" };
		init.body = JSON.stringify(body);
	}
	const r = await fetch(path, init);
	const text = await r.text();
	const value = text === "" ? null : JSON.parse(text);

	if (!r.ok)
		throw new Error(value.error);
	return value;
}

const inProject = (method, path, body) =>
	api(method, `/api/projects/${encodeURIComponent(project)}${path}`, body);
const imageUrl = (id) => `/api/projects/${encodeURIComponent(project)}/images/${id}`;

/* Makes an element with a text and children. */
function element(name, text, ...children) {
	const e = document.createElement(name);

	e.textContent = text;
	e.append(...children);
	return e;
}

/* A button; what goes wrong behind it is shown, and so is the end. */
function button(text, run) {
	const b = element("button", text);

	b.type = "button";
	b.addEventListener("click", () => attempt(run));
	return b;
}

/* Runs an action of the user and shows its outcome. */
async function attempt(run) {
	byId("message").textContent = "working";
	try {
		await run();
		byId("message").textContent = "done";
	} catch (e) {
		byId("message").textContent = e.message;
	}
}

/* A stored image. */
function picture(id, alt) {
	const img = document.createElement("img");

	img.src = imageUrl(id);
	img.alt = alt;
	return img;
}

function showPersona(p) {
	const li = element("li", "", element("strong", p.name), element("p", p.systemPrompt || ""),
		button("Edit", async () => editPersona(p)),
		button("Generate portrait", async () => {
			await inProject("POST", `/personas/${p.id}/generate-image`);
			await showPersonas();
		}),
		button("Delete", async () => {
			await inProject("DELETE", `/personas/${p.id}`);
			await showPersonas();
		}));

	li.dataset.persona = JSON.stringify(p);
	if (p.imageUrl)
		li.prepend(picture(p.imageUrl, `Portrait of ${p.name}`));
	return li;
}

async function showPersonas() {
	const all = await inProject("GET", "/personas");

	byId("personas").replaceChildren(...all.map(showPersona));
}

/* Reads one persona again and fills the form with it. */
async function editPersona(p) {
	const form = byId("form");

	edited = await inProject("GET", `/personas/${p.id}`);
	for (const name of ["name", "description", "systemPrompt"])
		form.elements[name].value = edited[name] ?? "";
}

async function savePersona() {
	const form = byId("form"), fields = {};

	for (const name of ["name", "description", "systemPrompt"])
		fields[name] = form.elements[name].value;
	if (edited === null)
		await inProject("POST", "/personas", fields);
	else
		await inProject("PUT", `/personas/${edited.id}`, fields);
	edited = null;
	form.reset();
	await showPersonas();
}

const styleRole = "persona-avatar-styleguide";

function showStyle(id) {
	return element("li", "", picture(id, "Style reference"), button("Remove", async () => {
		await inProject("DELETE", `/images/${id}`);
		await showStyles();
	}));
}

async function showStyles() {
	const { ids } = await inProject("GET", `/images?role=${encodeURIComponent(styleRole)}`);

	byId("styles").replaceChildren(...ids.map(showStyle));
}

/* A file as a data URL. */
const readFile = (file) => new Promise((done, failed) => {
	const reader = new FileReader();

	reader.onload = () => done(reader.result);
	reader.onerror = () => failed(reader.error);
	reader.readAsDataURL(file);
});

async function addStyle(file) {
	await inProject("POST", "/images",
		{ imageBase64: await readFile(file), role: styleRole, filename: file.name });
	await showStyles();
}

/* Starts a run and shows its events as they come. */
async function run() {
	const { id } = await inProject("POST", "/runs", { scenarioId: "s1" });
	const source = new EventSource(
		`/api/projects/${encodeURIComponent(project)}/runs/${id}/events`);

	source.onmessage = (e) => byId("events").append(element("li", e.data));
	source.addEventListener("end", () => {
		source.close();
		byId("events").dataset.over = "yes";
	});
}

/* Talks with the tool's agent over a WebSocket and shows what it says. */
let chat = null;

function say(text) {
	if (chat === null) {
		chat = new WebSocket(`ws://${location.host}/api/projects/${encodeURIComponent(project)}/chat`);
		chat.onmessage = (e) => byId("talk").append(element("li", e.data));
		chat.onclose = (e) => { byId("talk").dataset.over = e.wasClean ? "clean" : "cut"; };
	}
	if (chat.readyState === WebSocket.OPEN)
		chat.send(text);
	else
		chat.addEventListener("open", () => chat.send(text));
}

async function openProject(id) {
	project = id;
	await Promise.all([showPersonas(), showStyles(), (async () => {
		const all = await inProject("GET", "/scenarios");

		byId("scenarios").replaceChildren(...all.map((s) => element("li", s.name)));
	})(), (async () => {
		const parts = await Promise.all([inProject("GET", "/connectors"), inProject("GET", "/evals"),
			inProject("GET", "/runs"), api("GET", "/api/llm-providers")]);

		byId("parts").textContent = parts.map((p) => p.length).join(" ");
	})()]);
}

async function start() {
	const [status, projects] = await Promise.all([api("GET", "/api/status"), api("GET", "/api/projects")]);

	byId("status").textContent = status.status;
	byId("projects").replaceChildren(...projects.map((p) => {
		const option = element("option", p.name);

		option.value = p.id;
		return option;
	}));
	await openProject(projects[0].id);
}

byId("projects").addEventListener("change", (e) => attempt(() => openProject(e.target.value)));
byId("run").addEventListener("click", () => attempt(run));
byId("say").addEventListener("click", () => say(byId("words").value));
byId("leave").addEventListener("click", () => chat.close());
byId("style-file").addEventListener("change", (e) => attempt(() => addStyle(e.target.files[0])));
byId("form").addEventListener("submit", (e) => {
	e.preventDefault();
	attempt(savePersona);
});
attempt(start);
