"""What there is: object types, their properties, and how object types may be associated.

Changed only through `services.schema` and `services.labels`; read by everybody.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Left, Length

MAX_LIMIT = 10_000
NAME_PATTERN = r"^[a-z][a-z0-9_]*\Z"
# Which field types show which type of value.
FIELD_TYPES = {
    "string": ("text", "textarea", "phonenumber", "html"),
    "number": ("number",),
    "date": ("date",),
    "datetime": ("date",),
    "enumeration": ("select", "radio", "checkbox"),
    "bool": ("booleancheckbox",),
}


class ObjectType(models.Model):
    """A kind of record: contact, company, …, or a custom one."""

    type_id = models.CharField(
        "object type id", max_length=20, unique=True, help_text="HubSpot's objectTypeId, such as 0-1 or 2-7"
    )
    name = models.CharField(max_length=100, unique=True, help_text="Internal name; fixed once created")
    label = models.CharField("singular label", max_length=100)
    plural_label = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    primary_property = models.CharField(
        "primary display property", max_length=100, help_text="The property a record is shown by"
    )
    columns = models.JSONField(
        default=list, blank=True, help_text="Names of the properties that lists of records show; empty: the first few"
    )
    # Names of properties, as API clients define them.
    required_properties = models.JSONField(
        default=list, blank=True, editable=False, help_text="A new record has to have a value of these"
    )
    searchable_properties = models.JSONField(
        default=list, blank=True, editable=False, help_text="What the API's search for a text looks at"
    )
    secondary_properties = models.JSONField(default=list, blank=True, editable=False)
    is_builtin = models.BooleanField("built in", default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        # As people expect them: contacts, companies, deals, tickets, the other built-in ones, those of one's own.
        ordering = [Left("type_id", 1), Length("type_id"), "type_id"]
        constraints = [
            models.CheckConstraint(condition=Q(name__regex=NAME_PATTERN), name="object_type_name_is_internal"),
            models.CheckConstraint(condition=Q(type_id__regex=r"^[02]-[0-9]+\Z"), name="object_type_id_form"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def place(self) -> tuple[int, ...]:
        """What object types are sorted by, as in `Meta.ordering`."""
        return tuple(map(int, self.type_id.split("-")))


class PropertyGroup(models.Model):
    """Properties that are shown together."""

    object_type = models.ForeignKey(ObjectType, models.CASCADE, related_name="property_groups")
    name = models.CharField(max_length=100)
    label = models.CharField(max_length=100)
    display_order = models.IntegerField(default=0)

    class Meta:
        ordering = ["object_type", "display_order", "id"]
        constraints = [
            models.UniqueConstraint(fields=["object_type", "name"], name="property_group_name_is_unique"),
        ]

    def __str__(self) -> str:
        return self.label


class Property(models.Model):
    """One property of an object type. `type` decides how a value is kept, `field_type` how it is shown."""

    class Type(models.TextChoices):
        STRING = "string", "Text"
        NUMBER = "number", "Number"
        DATE = "date", "Date"
        DATETIME = "datetime", "Date and time"
        ENUMERATION = "enumeration", "Enumeration"
        BOOL = "bool", "Yes or no"

    class FieldType(models.TextChoices):
        TEXT = "text", "Single-line text"
        TEXTAREA = "textarea", "Multi-line text"
        PHONENUMBER = "phonenumber", "Phone number"
        HTML = "html", "Rich text"
        NUMBER = "number", "Number"
        DATE = "date", "Date picker"
        SELECT = "select", "Dropdown select"
        RADIO = "radio", "Radio select"
        CHECKBOX = "checkbox", "Multiple checkboxes"
        BOOLEANCHECKBOX = "booleancheckbox", "Single checkbox"

    # "Create associations may match on single-line text, multi-line text and phone number properties only" [H]
    MATCHABLE_FIELD_TYPES = (FieldType.TEXT, FieldType.TEXTAREA, FieldType.PHONENUMBER)

    object_type = models.ForeignKey(ObjectType, models.CASCADE, related_name="properties")
    group = models.ForeignKey(PropertyGroup, models.PROTECT, related_name="properties")
    name = models.CharField(max_length=100, help_text="Internal name; fixed once created")
    label = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    type = models.CharField(max_length=20, choices=Type, default=Type.STRING)
    field_type = models.CharField(max_length=20, choices=FieldType, default=FieldType.TEXT)
    options = models.JSONField(
        default=list, blank=True, help_text='For an enumeration: a list of {"value": …, "label": …}'
    )
    has_unique_value = models.BooleanField(
        "unique", default=False, help_text="A value belongs to one record only and identifies it"
    )
    display_order = models.IntegerField(default=0)
    hints = models.JSONField(
        default=dict, blank=True, editable=False, help_text="What API clients say of how it is shown; kept for them"
    )
    is_builtin = models.BooleanField("built in", default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "properties"
        ordering = ["object_type", "display_order", "id"]
        constraints = [
            models.UniqueConstraint(fields=["object_type", "name"], name="property_name_is_unique"),
            models.CheckConstraint(condition=Q(name__regex=NAME_PATTERN), name="property_name_is_internal"),
            models.CheckConstraint(
                condition=Q(
                    *(Q(type=type_, field_type__in=field_types) for type_, field_types in FIELD_TYPES.items()),
                    _connector=Q.OR,
                ),
                name="property_field_type_fits_type",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def is_matchable(self) -> bool:
        """Whether create associations may match on this property."""
        return self.type == self.Type.STRING and self.field_type in self.MATCHABLE_FIELD_TYPES

    @property
    def option_values(self) -> list[str]:
        return [option["value"] for option in self.options]


class HighestNumber(models.Model):
    """The highest number given so far, by kind: the id of what was deleted never comes back as something else.

    The ledger, revisions of workflows and other programs remember ids longer than what they name.
    """

    kind = models.CharField(max_length=30, primary_key=True)
    number = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class AssociationType(models.Model):
    """A way in which records of two object types are associated: the pair's unlabeled type or a label of it.

    A row serves both directions. `id` is the numeric type id from `from_object_type` to `to_object_type`,
    `inverse_id` the one back; a symmetric type (unlabeled or single label within one object type) has the
    same id both ways. The words follow the direction: on the page of a *from* record the other one carries
    `label`, on the page of a *to* record it carries `inverse_label`.

    All types of a pair lie the same way round (from ≤ to), so that a pair of records is one (source, target)
    for all its cross-object types.
    """

    class Category(models.TextChoices):
        HUBSPOT_DEFINED = "HUBSPOT_DEFINED", "Built in"
        USER_DEFINED = "USER_DEFINED", "Defined here"

    FIRST_OWN_ID = 1001
    # contact, deal and ticket to company; fixed, so that "at most one primary company" can be a constraint.
    # Which Primary is of which unlabeled type, built in both [H].
    PRIMARY_OF: ClassVar[dict[int, int]] = {279: 1, 341: 5, 339: 26}
    PRIMARY_IDS = tuple(PRIMARY_OF.values())

    id = models.PositiveBigIntegerField("type id", primary_key=True)
    inverse_id = models.PositiveBigIntegerField("type id the other way", unique=True)
    from_object_type = models.ForeignKey(ObjectType, models.CASCADE, related_name="+")
    to_object_type = models.ForeignKey(ObjectType, models.CASCADE, related_name="+")
    category = models.CharField(max_length=20, choices=Category, default=Category.USER_DEFINED)
    name = models.CharField(max_length=100, blank=True, help_text="Internal name; empty for the unlabeled type")
    label = models.CharField(max_length=100, blank=True, help_text="What the other record is to a from-record")
    inverse_label = models.CharField(max_length=100, blank=True, help_text="What the other one is to a to-record")
    max_to = models.PositiveIntegerField("limit", null=True, blank=True, help_text="Empty: many")
    inverse_max_to = models.PositiveIntegerField("limit the other way", null=True, blank=True, help_text="Empty: many")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "association label"
        # One permission for all that can be done to them: a label cannot be added without its limits, and so on.
        default_permissions = ("view",)
        permissions = [("manage_labels", "Can manage association labels and limits")]
        ordering = ["from_object_type", "to_object_type", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["from_object_type", "to_object_type"], condition=Q(name=""), name="one_unlabeled_type_per_pair"
            ),
            models.UniqueConstraint(
                fields=["from_object_type", "to_object_type", "name"], name="label_name_is_unique_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(from_object_type__lte=F("to_object_type")), name="types_of_a_pair_lie_the_same_way"
            ),
            models.CheckConstraint(
                condition=Q(name="", label="", inverse_label="") | Q(~Q(name=""), ~Q(label=""), ~Q(inverse_label="")),
                name="label_has_words_for_both_sides",
            ),
            models.CheckConstraint(
                condition=~Q(id=F("inverse_id"))
                | Q(from_object_type=F("to_object_type"), label=F("inverse_label"))
                & (
                    Q(max_to=F("inverse_max_to"), max_to__isnull=False, inverse_max_to__isnull=False)
                    | Q(max_to=None, inverse_max_to=None)
                ),
                name="symmetric_type_is_alike_both_ways",
            ),
            models.CheckConstraint(
                condition=(Q(max_to=None) | Q(max_to__range=(1, MAX_LIMIT)))
                & (Q(inverse_max_to=None) | Q(inverse_max_to__range=(1, MAX_LIMIT))),
                name="limit_is_1_to_10000_or_many",
            ),
        ]

    def __str__(self) -> str:
        pair = f"{self.from_object_type} – {self.to_object_type}"
        if self.is_unlabeled:
            return f"{pair} (unlabeled)"
        return f"{pair}: {self.label}" + (f" / {self.inverse_label}" if self.is_paired else "")

    @property
    def is_unlabeled(self) -> bool:
        return self.name == ""

    @property
    def is_symmetric(self) -> bool:
        return self.id == self.inverse_id

    @property
    def is_paired(self) -> bool:
        return self.label != self.inverse_label

    @property
    def is_paired_within_one_type(self) -> bool:
        """Whether two records may have it in both directions, as two rows."""
        return self.from_object_type_id == self.to_object_type_id and not self.is_symmetric

    @property
    def is_primary(self) -> bool:
        return self.id in self.PRIMARY_IDS

    def facing(self, type_id: int) -> dict[str, Any]:
        """The word and the limit of the direction that `type_id` (id or inverse_id) names."""
        if type_id == self.id:
            return {"label": self.label, "max_to": self.max_to}
        return {"label": self.inverse_label, "max_to": self.inverse_max_to}
