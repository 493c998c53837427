// Sends the request of a form to the server that serves this page. The key stays
// in the field: it is stored nowhere.
"use strict";

const token = document.getElementById("token");
document.getElementById("key").addEventListener("submit", (event) => event.preventDefault());

// request builds what a form asks for.
function request(article, form) {
  let path = article.dataset.path;
  const query = new URLSearchParams();
  const headers = {};
  for (const input of form.querySelectorAll("input[data-in]")) {
    if (input.value === "") continue;
    switch (input.dataset.in) {
      case "path":
        path = path.replace("{" + input.name + "}", encodeURIComponent(input.value));
        break;
      case "query":
        query.append(input.name, input.value);
        break;
      default:
        headers[input.name] = input.value;
    }
  }
  if (token.value !== "") headers.Authorization = "Bearer " + token.value.trim();
  const init = { method: article.dataset.method, headers, credentials: "omit", redirect: "error" };
  const body = form.querySelector("textarea");
  if (body && body.value.trim() !== "") {
    init.body = body.value;
    headers["Content-Type"] = "application/json";
  }
  return [query.size ? path + "?" + query : path, init];
}

const longest = 200000;

// show writes an answer as text, never as markup.
function show(output, head, text, good) {
  const title = document.createElement("strong");
  title.textContent = head;
  title.className = good ? "good" : "bad";
  const pre = document.createElement("pre");
  pre.tabIndex = 0;
  pre.textContent = text.length > longest ? text.slice(0, longest) + "\n… cut, " + text.length + " characters in all" : text;
  output.replaceChildren(title, pre);
}

async function send(article, form) {
  const output = form.querySelector("output");
  const button = form.querySelector("button");
  const [path, init] = request(article, form);
  button.disabled = true;
  output.textContent = "…";
  const begun = performance.now();
  try {
    const answer = await fetch(path, init);
    let text = await answer.text();
    if ((answer.headers.get("Content-Type") || "").includes("json")) {
      try {
        text = JSON.stringify(JSON.parse(text), null, 2);
      } catch {
        // shown as it came
      }
    }
    const took = Math.round(performance.now() - begun);
    show(output, `${init.method} ${path} → ${answer.status} in ${took} ms`, text, answer.ok);
  } catch (problem) {
    show(output, `${init.method} ${path}`, "The request could not be sent: " + problem.message, false);
  } finally {
    button.disabled = false;
  }
}

for (const article of document.querySelectorAll("article")) {
  const form = article.querySelector(".try form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (article.dataset.method === "DELETE" && !confirm("Really send DELETE " + article.dataset.path + "?")) return;
    send(article, form);
  });
}

document.getElementById("find").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of document.querySelectorAll("nav li")) {
    const text = item.dataset.find.toLowerCase();
    item.hidden = !words.every((word) => text.includes(word));
  }
  for (const section of document.querySelectorAll("nav section")) {
    section.hidden = !section.querySelector("li:not([hidden])");
  }
});
