// What is still going on moves by itself: while a region of the page says so (data-live="moving"), the page is asked
// for again, and its regions (data-live, each with an id) are put in the place of the old ones.
"use strict";

(function () {
    const EVERY = 1500; // milliseconds

    const regions = (page) => Array.from(page.querySelectorAll("[data-live][id]"));
    const isMoving = () => regions(document).some((region) => region.dataset.live === "moving");

    function put(old, fresh) {
        if (!fresh || old.outerHTML === fresh.outerHTML) {
            return;
        }
        const links = (region) => Array.from(region.querySelectorAll("a[href], button, input, summary"));
        const focused = links(old).indexOf(document.activeElement);
        const opened = Array.from(old.querySelectorAll("details"), (each) => each.open);
        old.replaceWith(fresh);
        fresh.querySelectorAll("details").forEach((each, place) => { each.open = opened[place] ?? each.open; });
        if (focused >= 0 && links(fresh)[focused]) {
            links(fresh)[focused].focus();
        }
    }

    async function look() {
        if (!document.hidden) {
            try {
                const response = await fetch(location.href, { redirect: "error" });
                if (response.ok) {
                    const page = new DOMParser().parseFromString(await response.text(), "text/html");
                    for (const region of regions(document)) {
                        put(region, page.getElementById(region.id));
                    }
                }
            } catch {
                // The server is away for a moment, or the person has signed out: the page stays as it is.
            }
        }
        wait();
    }

    function wait() {
        if (isMoving()) {
            setTimeout(look, EVERY);
        }
    }

    document.addEventListener("DOMContentLoaded", wait);
})();
