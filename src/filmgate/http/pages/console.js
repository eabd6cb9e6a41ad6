// The interactive page: reads /openapi.json, draws a form for every address, sends what is filled in, shows it as curl.
"use strict";

const root = document.getElementById("console");

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function sample(text, caption) {
  const code = element("code", { textContent: text });
  const figure = element("figure", { className: "code" }, element("figcaption", { textContent: caption }));
  figure.append(element("pre", { tabIndex: 0 }, code));
  return { figure, show: (changed) => (code.textContent = changed) };
}

// ---- what the description says -------------------------------------------------------------------------------------

function resolved(schema, described) {
  const name = schema?.$ref?.split("/").pop();
  return name ? described.components.schemas[name] : (schema ?? {});
}

// The fields that have to be there, with the examples that the description gives.
function example(schema, described) {
  const whole = resolved(schema, described);
  const fields = (whole.required ?? []).map((name) => [name, valueOf(resolved(whole.properties[name], described))]);
  return Object.fromEntries(fields);
}

function valueOf(field) {
  if (field.examples?.length) return field.examples[0];
  if (field.default !== undefined) return field.default;
  return { object: {}, array: [], integer: 0, number: 0, boolean: false }[field.type] ?? "";
}

// ---- one address ---------------------------------------------------------------------------------------------------

function panel(method, path, operation, described, key) {
  const asked = (operation.parameters ?? []).map(parameterField);
  const content = operation.requestBody?.content ?? {};
  const body = content["multipart/form-data"]
    ? multipart(resolved(content["multipart/form-data"].schema, described))
    : content["application/json"] && json(content["application/json"].schema, described);

  const request = () => {
    const filled = (place) => asked.filter((field) => field.place === place && field.value() !== "").map((field) => [field.name, field.value()]);
    const query = new URLSearchParams(filled("query")).toString();
    const url = location.origin + path + (query && `?${query}`);
    return { url, method: method.toUpperCase(), body, said: Object.fromEntries(filled("header")) };
  };

  const curl = sample("", "curl");
  const answer = sample("", "Answer");
  answer.figure.hidden = true;
  const form = element("form", {}, ...asked.map((field) => field.label), ...(body ? body.labels : []));
  form.append(element("button", { className: "send", textContent: "Send" }), curl.figure, answer.figure);
  const redraw = () => curl.show(asCurl(request()));
  form.addEventListener("input", redraw);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    answer.figure.hidden = false;
    answer.show("…");
    answer.show(await sent(request(), key.value.trim()));
  });
  redraw();

  const title = element("summary", {}, element("span", { className: `method ${method}`, textContent: method.toUpperCase() }));
  title.append(element("code", { textContent: path }), element("span", { textContent: operation.summary ?? "" }));
  return element("details", { id: operation.operationId ?? "" }, title, form);
}

function labelled(name, words, input) {
  const label = element("label", {}, name, input);
  if (words) label.append(element("small", { textContent: words }));
  return label;
}

function parameterField(parameter) {
  const input = element("input", { required: Boolean(parameter.required), autocomplete: "off" });
  const label = labelled(parameter.name, parameter.description, input);
  return { name: parameter.name, place: parameter.in, label, value: () => input.value.trim() };
}

function json(schema, described) {
  const area = element("textarea", { spellcheck: false, value: JSON.stringify(example(schema, described), null, 2) });
  return {
    labels: [labelled("Body (JSON)", resolved(schema, described).description, area)],
    headers: { "Content-Type": "application/json" },
    payload: () => area.value,
    flags: () => [`-H 'Content-Type: application/json'`, `-d ${quoted(area.value)}`],
  };
}

function multipart(schema) {
  const inputs = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const input = element("input", { name, type: isFile(field) ? "file" : "text", autocomplete: "off" });
    return { name, input, label: labelled(name, field.description, input) };
  });
  const filled = () => inputs.filter(({ input }) => input.value);
  return {
    labels: inputs.map(({ label }) => label),
    headers: {},
    payload: () => {
      const data = new FormData();
      for (const { name, input } of filled()) data.append(name, input.files?.[0] ?? input.value);
      return data;
    },
    flags: () => filled().map(({ name, input }) => `-F ${quoted(`${name}=${input.files ? `@${input.files[0].name}` : input.value}`)}`),
  };
}

function isFile(field) {
  return field.format === "binary" || field.contentMediaType !== undefined || field.contentEncoding === "binary";
}

// ---- sending -------------------------------------------------------------------------------------------------------

async function sent({ url, method, body, said }, key) {
  const headers = { ...said, ...(body?.headers ?? {}), ...(key && { Authorization: `Bearer ${key}` }) };
  try {
    const answer = await fetch(url, { method, headers, body: body?.payload() });
    return `HTTP ${answer.status}\n${indented(await answer.text())}`;
  } catch (error) {
    return `The server could not be reached: ${error.message}`;
  }
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function asCurl({ url, method, body, said }) {
  const headers = Object.entries(said).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  const flags = [`-H "Authorization: Bearer $FILMGATE_API_KEY"`, ...headers, ...(body ? body.flags() : [])];
  const verb = method === (body?.flags().length ? "POST" : "GET") ? "" : `-X ${method} `;
  return [`curl ${verb}${quoted(url)}`, ...flags].join(" \\\n  ");
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

// ---- all of them ---------------------------------------------------------------------------------------------------

async function draw() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const described = await answer.json();
  const key = element("input", { type: "password", autocomplete: "off", placeholder: "fg_..." });
  const label = labelled("API key", "Sent with every call as a bearer token; kept nowhere.", key);
  label.className = "key";
  const panels = Object.entries(described.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => panel(method, path, operation, described, key)),
  );
  root.replaceChildren(label, ...panels);
  (document.getElementById(location.hash.slice(1)) ?? panels[0]).open = true;
}

draw().catch((error) => root.replaceChildren(element("p", { textContent: `openapi.json could not be read: ${error.message}` })));
