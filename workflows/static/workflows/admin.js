// Comfort for the forms of workflows: leave out what does not fit, and ask before what was typed is lost.
// Without this file everything can be done as well; the server checks all of it.
"use strict";

(function () {
    function offer(option, fits) {
        option.hidden = option.disabled = !fits;
    }

    // A filter: the fields of its kind, the properties of its object, the operators of the property's type.
    function fitFilter(row) {
        const field = (name) => row.querySelector(`[name$="-${name}"]`);
        const show = (name, shown) => { field(name).closest("td").hidden = !shown; };
        const kind = field("kind").value;
        const type = field("type_id").selectedOptions[0];
        const property = field("property");
        const operator = field("operator");
        const own = field("kind").dataset.object;
        const object = kind === "property" ? own : type.dataset.object;
        const tested = property.selectedOptions[0].dataset;
        const testsValue = kind !== "association";

        show("type_id", kind !== "property");
        show("has", !testsValue);
        for (const name of ["property", "operator"]) {
            show(name, testsValue);
        }
        for (const group of property.querySelectorAll("optgroup")) {
            offer(group, group.firstElementChild !== null && group.firstElementChild.dataset.object === object);
        }
        for (const option of operator.options) {
            offer(option, !tested.type || option.dataset.types.split(" ").includes(tested.type));
        }
        show("values", testsValue && !operator.value.endsWith("known"));
        show("or_no_value", testsValue && /not|none/.test(operator.value));
    }

    // "Apply association label": what decides depends on to which records the label goes.
    const DECIDES = {
        all: [],
        matching_property: ["enrolled_property", "associated_property", "comparison"],
        enrolled_property: ["enrolled_property", "operator", "value", "or_no_value"],
        associated_property: ["associated_property", "operator", "value", "or_no_value"],
    };

    function fitAction(form) {
        const applyTo = form.elements.namedItem("apply_to");
        if (!applyTo) {
            return;
        }
        const decides = DECIDES[applyTo.value] || [];
        for (const name of new Set(Object.values(DECIDES).flat())) {
            const row = form.querySelector(`.form-row.field-${name}`);
            row.hidden = !decides.includes(name);
        }
    }

    function askBeforeLeaving(form) {
        let changed = false;
        form.addEventListener("input", () => { changed = true; });
        form.addEventListener("submit", () => { changed = false; });
        window.addEventListener("beforeunload", (event) => {
            if (changed) {
                event.preventDefault();
            }
        });
    }

    document.addEventListener("DOMContentLoaded", () => {
        const triggers = document.getElementById("triggers-group");
        if (triggers && triggers.querySelector("select")) {
            const fit = () => triggers.querySelectorAll("tr.form-row").forEach(fitFilter);
            fit();
            triggers.addEventListener("change", fit);
            document.addEventListener("formset:added", fit);
        }
        const action = document.querySelector("form.action-form");
        if (action) {
            fitAction(action);
            action.addEventListener("change", (event) => {
                if (event.target.name === "to_object_type") {
                    action.requestSubmit(action.querySelector("[name=_choose]"));
                }
                fitAction(action);
            });
        }
        const workflow = document.getElementById("workflow_form");
        if (workflow) {
            askBeforeLeaving(workflow);
        }
    });
})();
