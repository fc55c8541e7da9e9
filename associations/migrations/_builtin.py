"""The built-in object types, properties and association types, as migration 0002 writes them.

Ids are HubSpot's. Part of the migration: never changed afterwards, only followed by further migrations.
"""

TEXT, TEXTAREA, PHONE = ("string", "text"), ("string", "textarea"), ("string", "phonenumber")
NUMBER, DATETIME, SELECT = ("number", "number"), ("datetime", "date"), ("enumeration", "select")

LIFECYCLE_STAGES = {
    "subscriber": "Subscriber",
    "lead": "Lead",
    "marketingqualifiedlead": "Marketing qualified lead",
    "salesqualifiedlead": "Sales qualified lead",
    "opportunity": "Opportunity",
    "customer": "Customer",
    "evangelist": "Evangelist",
    "other": "Other",
}
DEAL_STAGES = {
    "appointmentscheduled": "Appointment scheduled",
    "qualifiedtobuy": "Qualified to buy",
    "presentationscheduled": "Presentation scheduled",
    "decisionmakerboughtin": "Decision maker bought-in",
    "contractsent": "Contract sent",
    "closedwon": "Closed won",
    "closedlost": "Closed lost",
}
TICKET_STAGES = {"1": "New", "2": "Waiting on contact", "3": "Waiting on us", "4": "Closed"}
PRIORITIES = {"LOW": "Low", "MEDIUM": "Medium", "HIGH": "High", "URGENT": "Urgent"}

# Our id, HubSpot's id, name, labels, property group; properties: name, label, type, options. A * marks a unique one.
# contact, deal and ticket come before company, so that their Primary is stored from the record to its company.
OBJECT_TYPES = [
    (1, "0-1", "contact", "Contact", "Contacts", "contactinformation", "email", [
        ("*email", "Email", TEXT, None),
        ("firstname", "First name", TEXT, None),
        ("lastname", "Last name", TEXT, None),
        ("phone", "Phone number", PHONE, None),
        ("mobilephone", "Mobile phone number", PHONE, None),
        ("company", "Company name", TEXT, None),
        ("jobtitle", "Job title", TEXT, None),
        ("city", "City", TEXT, None),
        ("state", "State/Region", TEXT, None),
        ("country", "Country/Region", TEXT, None),
        ("website", "Website URL", TEXT, None),
        ("lifecyclestage", "Lifecycle stage", SELECT, LIFECYCLE_STAGES),
    ]),
    (2, "0-3", "deal", "Deal", "Deals", "dealinformation", "dealname", [
        ("dealname", "Deal name", TEXT, None),
        ("dealstage", "Deal stage", SELECT, DEAL_STAGES),
        ("pipeline", "Pipeline", SELECT, {"default": "Sales pipeline"}),
        ("amount", "Amount", NUMBER, None),
        ("closedate", "Close date", DATETIME, None),
        ("description", "Deal description", TEXTAREA, None),
    ]),
    (3, "0-5", "ticket", "Ticket", "Tickets", "ticketinformation", "subject", [
        ("subject", "Ticket name", TEXT, None),
        ("content", "Ticket description", TEXTAREA, None),
        ("hs_pipeline_stage", "Ticket status", SELECT, TICKET_STAGES),
        ("hs_ticket_priority", "Priority", SELECT, PRIORITIES),
    ]),
    (4, "0-2", "company", "Company", "Companies", "companyinformation", "name", [
        ("name", "Company name", TEXT, None),
        ("*domain", "Company domain name", TEXT, None),
        ("phone", "Phone number", PHONE, None),
        ("address", "Street address", TEXT, None),
        ("city", "City", TEXT, None),
        ("state", "State/Region", TEXT, None),
        ("zip", "Postal code", TEXT, None),
        ("country", "Country/Region", TEXT, None),
        ("industry", "Industry", TEXT, None),
        ("numberofemployees", "Number of employees", NUMBER, None),
        ("annualrevenue", "Annual revenue", NUMBER, None),
        ("description", "Description", TEXTAREA, None),
    ]),
    (5, "0-421", "appointment", "Appointment", "Appointments", "appointmentinformation", "hs_appointment_name",
     [("hs_appointment_name", "Appointment name", TEXT, None)]),
    (6, "0-410", "course", "Course", "Courses", "courseinformation", "hs_course_name",
     [("hs_course_name", "Course name", TEXT, None)]),
    (7, "0-420", "listing", "Listing", "Listings", "listinginformation", "hs_name",
     [("hs_name", "Listing name", TEXT, None)]),
    (8, "0-162", "service", "Service", "Services", "serviceinformation", "hs_name",
     [("hs_name", "Service name", TEXT, None)]),
]  # fmt: skip

CONTACT, DEAL, TICKET, COMPANY = 1, 2, 3, 4
# from, to: id and the id the other way of the unlabeled type. Pairs not listed get ids of ours.
UNLABELED = {
    (CONTACT, COMPANY): (279, 280),
    (DEAL, COMPANY): (341, 342),
    (TICKET, COMPANY): (339, 340),
    (CONTACT, DEAL): (4, 3),
    (CONTACT, TICKET): (15, 16),
    (DEAL, TICKET): (27, 28),
    (CONTACT, CONTACT): (449, 449),
    (COMPANY, COMPANY): (450, 450),
    (DEAL, DEAL): (451, 451),
    (TICKET, TICKET): (452, 452),
}
# from, to, id, the id the other way, name, label, inverse label
LABELS = [
    (CONTACT, COMPANY, 1, 2, "primary", "Primary", "Primary"),
    (DEAL, COMPANY, 5, 6, "primary", "Primary", "Primary"),
    (TICKET, COMPANY, 26, 25, "primary", "Primary", "Primary"),
    (COMPANY, COMPANY, 13, 14, "parent_to_child_company", "Child company", "Parent company"),
]
FIRST_OWN_ID = 1001
