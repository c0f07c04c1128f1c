"use strict";

const rows = document.getElementById("links");
const said = document.getElementById("said");

function cell(row, content, className = "") {
  const td = row.insertCell();
  td.className = className;
  td.append(content);
  return td;
}

function button(text, onclick) {
  const made = document.createElement("button");
  made.className = "quiet";
  made.textContent = text;
  made.onclick = onclick;
  return made;
}

/* The picture of a link, or a button that asks for one. */
async function picture(code) {
  const at = `/links/${code}/picture`;
  const answer = await fetch(at);
  if (answer.ok) {
    const img = new Image();
    img.src = URL.createObjectURL(await answer.blob());
    img.alt = `picture of ${code}`;
    return img;
  }
  return button("add", () => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = "image/png,image/jpeg,image/gif";
    input.onchange = async () => {
      const put = await fetch(at, { method: "PUT", body: input.files[0] });
      said.textContent = put.ok ? "" : (await put.json()).error;
      show();
    };
    input.click();
  });
}

async function show() {
  const { links } = await (await fetch("/links")).json();
  document.getElementById("none").hidden = links.length > 0;
  rows.replaceChildren();
  for (const { code, url, clicks } of links) {
    const row = rows.insertRow();
    const short = document.createElement("a");
    short.href = `/s/${code}`;
    short.textContent = `/s/${code}`;
    short.target = "_blank";
    short.rel = "noopener";
    cell(row, short);
    cell(row, url, "target");
    cell(row, clicks, "number");
    const place = cell(row, "");
    picture(code).then((shown) => place.replaceChildren(shown));
    cell(row, button("remove", async () => {
      await fetch(`/links/${code}`, { method: "DELETE" });
      show();
    }));
  }
}

document.getElementById("make").onsubmit = async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const answer = await fetch("/links", {
    method: "POST",
    body: JSON.stringify({ url: form.get("url"), ...(form.get("code") && { code: form.get("code") }) }),
  });
  const { code, error } = await answer.json();
  said.textContent = answer.ok ? `Made /s/${code}` : error;
  if (answer.ok) event.target.reset();
  show();
};

addEventListener("focus", show);
show();
