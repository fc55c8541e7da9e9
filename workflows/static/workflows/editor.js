// The workflow editor: sends what is entered as it changes, and puts what the server draws in the place of what was
// there. Without this file the same buttons load the page; the server knows everything, this file nothing of workflows.
"use strict";

(function () {
    // Putting the new in the place of the old ----------------------------------------------------

    // Keep what is the same, so that the focus, an open list and what is being typed stay; by ids where there are any.
    function morph(old, fresh) {
        if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || (old.id || "") !== (fresh.id || "")) {
            old.replaceWith(fresh);
            return;
        }
        if (old.nodeType !== Node.ELEMENT_NODE) {
            if (old.nodeValue !== fresh.nodeValue) {
                old.nodeValue = fresh.nodeValue;
            }
            return;
        }
        const { value, checked } = fresh; // as long as it has its options
        morphAttributes(old, fresh);
        if (old.nodeName !== "SELECT" || !offersTheSame(old, fresh)) {
            morphChildren(old, fresh);
        }
        morphValue(old, value, checked);
    }

    // Then a list is left alone: who chooses by typing the first letters is not interrupted.
    function offersTheSame(old, fresh) {
        const offered = (select) => [...select.options].map((option) => [option.value, option.text].join()).join("|");
        return offered(old) === offered(fresh);
    }

    function morphAttributes(old, fresh) {
        const stays = (name) => old.nodeName === "DETAILS" && name === "open"; // people open and close
        for (const { name } of [...old.attributes]) {
            if (!fresh.hasAttribute(name) && !stays(name)) {
                old.removeAttribute(name);
            }
        }
        for (const { name, value } of fresh.attributes) {
            if (old.getAttribute(name) !== value) {
                old.setAttribute(name, value);
            }
        }
    }

    function morphChildren(old, fresh) {
        const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
        let place = old.firstChild;
        for (const child of [...fresh.childNodes]) {
            const same = child.id ? known.get(child.id) : undefined;
            if (same) {
                if (same !== place) {
                    old.insertBefore(same, place);
                }
                place = same.nextSibling;
                morph(same, child);
            } else if (place && !place.id && !child.id && place.nodeName === child.nodeName) {
                const next = place.nextSibling;
                morph(place, child);
                place = next;
            } else {
                old.insertBefore(child, place);
            }
        }
        while (place) {
            const next = place.nextSibling;
            place.remove();
            place = next;
        }
    }

    function morphValue(old, value, checked) {
        if (old.nodeName === "INPUT" && (old.type === "checkbox" || old.type === "radio")) {
            old.checked = checked;
        } else if (["INPUT", "SELECT", "TEXTAREA"].includes(old.nodeName) && old.value !== value) {
            old.value = value;
        }
    }

    // What was entered while the answer was on its way is put back after it.
    function entered(root) {
        const values = new Map();
        for (const field of root.querySelectorAll("input[id], select[id], textarea[id]")) {
            values.set(field.id, field.type === "checkbox" || field.type === "radio" ? field.checked : field.value);
        }
        return values;
    }

    function putBack(root, sent) {
        const late = [...entered(root)].filter(([id, value]) => sent.has(id) && sent.get(id) !== value);
        return () => late.forEach(([id, value]) => {
            const field = document.getElementById(id);
            if (field) {
                field[typeof value === "boolean" ? "checked" : "value"] = value;
            }
        });
    }

    // Tab may come before what is next is drawn, and lead past it. How often it was pressed since when is counted, and
    // where it did lead there, it leads as far in what is drawn then.
    let tabs = null;
    function watchTabs(form) {
        form.addEventListener("keydown", (event) => {
            if (event.key === "Tab" && form.hasAttribute("aria-busy")) {
                tabs = tabs || { from: event.target, count: 0 };
                tabs.count += event.shiftKey ? -1 : 1;
            }
        });
    }

    function tabbed(form) {
        const { from, count } = tabs;
        const stops = [...form.querySelectorAll("a[href], button, input, select, summary, textarea")].filter((each) => (
            each.tabIndex >= 0 && !each.disabled
            && each.offsetParent && !each.closest("details:not([open]) > :not(summary)")
            && (each.type !== "radio" || each.checked || !form.elements[each.name].value)
        ));
        return stops.includes(from) ? stops[stops.indexOf(from) + count] : undefined;
    }

    function keepTabs(form) {
        const led = tabs && tabbed(form) === document.activeElement;
        return () => {
            const next = led && tabbed(form);
            tabs = null;
            if (next) {
                next.focus();
            }
        };
    }

    // Asking the server --------------------------------------------------------------------------

    // A button must not go between its press and its release, or the click would be lost.
    let pressed = false;
    let whenReleased = [];
    function watchPresses() {
        const release = () => {
            pressed = false;
            setTimeout(() => whenReleased.splice(0).forEach((go) => go()));
        };
        document.addEventListener("pointerdown", () => { pressed = true; }, true);
        document.addEventListener("keydown", (event) => { pressed = pressed || event.key === " "; }, true);
        for (const name of ["pointerup", "pointercancel", "keyup"]) {
            document.addEventListener(name, release, true);
        }
    }

    function released() {
        return pressed ? new Promise((go) => { whenReleased.push(go); }) : Promise.resolve();
    }

    // One after the other: a step is never given up, a mere look is for a newer one.
    let asked = 0;
    let current = null;
    let waiting = Promise.resolve();
    function refresh(form, step) {
        const number = ++asked;
        if (current && !current.step) {
            current.abort.abort();
        }
        form.setAttribute("aria-busy", "true");
        waiting = waiting.then(() => (step || number === asked ? ask(form, step) : undefined)).then(() => {
            if (number === asked) {
                form.removeAttribute("aria-busy");
                tabs = null;
            }
        });
    }

    async function ask(form, step) {
        const editor = document.getElementById("editor");
        const abort = new AbortController();
        current = { step, abort };
        const data = new URLSearchParams(new FormData(form));
        data.append("do", step);
        const sent = entered(editor);
        let page;
        try {
            const answer = await fetch(form.action, { method: "POST", body: data, signal: abort.signal });
            page = answer.ok && !answer.redirected ? await answer.text() : null;
        } catch (error) {
            page = null;
        }
        await released();
        current = null;
        if (abort.signal.aborted) {
            return;
        }
        const fresh = page && new DOMParser().parseFromString(page, "text/html").getElementById("editor");
        if (!fresh) {
            tell(editor, "The server could not be asked just now. What you entered is still here.");
            return;
        }
        const renumbers = /^(remove|move)-/.test(step);
        const restore = renumbers ? () => {} : putBack(editor, sent);
        const goOn = keepTabs(form);
        morph(editor, document.adoptNode(fresh));
        restore();
        goOn();
        const focus = step && document.getElementById(editor.dataset.focus);
        if (focus) {
            (focus.matches("button, input, select") ? focus : focus.querySelector("button") || focus).focus();
        }
    }

    function tell(editor, words) {
        const status = document.getElementById("editor-status");
        status.textContent = words;
        status.classList.remove("visually-hidden");
    }

    function start() {
        const form = document.getElementById("workflow_form");
        if (!document.getElementById("editor")) {
            return;
        }
        let changed = document.getElementById("editor-errors") !== null;
        watchPresses();
        watchTabs(form);
        form.addEventListener("input", () => { changed = true; });
        form.addEventListener("change", () => { changed = true; refresh(form, ""); });
        form.addEventListener("submit", (event) => {
            if (event.submitter && event.submitter.name === "do") {
                event.preventDefault();
                changed = changed || event.submitter.value !== "";
                refresh(form, event.submitter.value);
            } else {
                changed = false;
            }
        });
        window.addEventListener("beforeunload", (event) => {
            if (changed) {
                event.preventDefault();
            }
        });
        const wrong = form.querySelector("[aria-invalid=true]");
        if (wrong) {
            wrong.focus();
        }
    }

    document.addEventListener("DOMContentLoaded", start);
})();
