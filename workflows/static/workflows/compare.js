// The answer of the box "Would they match?" appears in its place. Without this file it opens as a page.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const box = document.querySelector("form.compare-box");
    if (!box) {
        return;
    }
    box.addEventListener("submit", async (event) => {
        event.preventDefault();
        const response = await fetch(`${box.action}?${new URLSearchParams(new FormData(box))}`);
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const answer = page.getElementById("compared");
        document.getElementById("compared_here").replaceChildren(...(answer ? [answer] : []));
    });
});
