// Creates elements. Text becomes text nodes, and attributes are set as values: nothing here parses markup.

const SVG = "http://www.w3.org/2000/svg";

export const by = (id) => document.getElementById(id);

/** An HTML element; properties are attributes, or listeners if they are functions. */
export function make(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function draw(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((each) => each !== null && each !== undefined).map((each) => (each instanceof Node ? each : String(each))));
  return element;
}

/** Announces what was done; screen readers read it out, too. */
export function tell(text, kind = "done") {
  const place = by("told");
  place.className = kind;
  place.textContent = text;
}

/** Runs the action of a button or form, one at a time; announces a refusal. */
export async function doing(control, work) {
  if (control?.ariaDisabled === "true") return;
  if (control) control.ariaDisabled = "true";
  try {
    await work();
  } catch (problem) {
    tell(problem.message, "failed");
  } finally {
    if (control) control.ariaDisabled = null;
  }
}

/** Opens a dialog. Once it is closed, the focus returns to where it was, or to what was drawn in its place since. */
export function openOver(dialog) {
  const from = document.activeElement;
  const drawn = from.closest("svg, tbody");
  const back = () => {
    if (!drawn || from.isConnected) return; // the browser returns it to what is still there
    const places = ["[tabindex='0']", `[data-number="${from.dataset.number}"]`, "button"];
    places.map((each) => drawn.querySelector(each)).find(Boolean)?.focus();
  };
  dialog.addEventListener("close", back, { once: true });
  dialog.showModal();
}

/** Copies text to the clipboard, if the browser allows it. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    tell(`${what}: copied.`);
  } catch {
    tell("The browser does not allow this page to use the clipboard; select the text and copy it.", "failed");
  }
}
