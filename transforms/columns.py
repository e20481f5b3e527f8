"""The canonical layout of a claims extract, and the words that reports use for what became of a row.

One table of columns drives ingest, the batches' schema, the SQL stages and `docs/extracts.md`. Names are those of the Tuva Project's
`medical_claim` input layer; `is_ours` marks the ones that it does not have.
"""

from dataclasses import dataclass

import pyarrow as pa

FORMAT = 1
"""Number of the layout of batches and manifests; files of another number are not read."""

KINDS = {
    "text": (pa.string(), "VARCHAR", "text"),
    "integer": (pa.int64(), "BIGINT", "whole number, at most 9 digits"),
    "date": (pa.date32(), "DATE", "date: YYYY-MM-DD, YYYYMMDD, MM/DD/YYYY or DD-MON-YYYY, one form a column"),
    "amount": (pa.decimal128(14, 2), "DECIMAL(14, 2)", "US dollars, at most 12 digits and 2 decimals"),
    "units": (pa.decimal128(13, 4), "DECIMAL(13, 4)", "number, at most 9 digits and 4 decimals"),
}


@dataclass(frozen=True)
class Column:
    """One canonical column.

    `needed` is empty, or says what an extract must have of it; `case` is how its values are normalised; `without` is what the audit cannot
    tell where no row of an extract has it.
    """

    name: str
    kind: str
    meaning: str
    needed: str = ""
    case: str = "as it is"
    is_ours: bool = False
    without: str = ""

    @property
    def arrow_type(self) -> pa.DataType:
        return KINDS[self.kind][0]

    @property
    def sql_type(self) -> str:
        return KINDS[self.kind][1]


COLUMNS: tuple[Column, ...] = (
    Column("claim_id", "text", "the payer's claim number; it stays through a claim's versions", "column and value"),
    Column("claim_line_number", "integer", "line within the claim", "column and value"),
    Column("claim_type", "text", "professional, institutional, …, in any case; distinguishes a physician's claim from a facility's"),
    Column("person_id", "text", "one person across plans; without it, data source, payer and member number identify the person"),
    Column("member_id", "text", "the plan's member number", "column and value"),
    Column("payer", "text", "carried through to the reports"),
    Column("plan", "text", "carried through to the reports"),
    Column("claim_start_date", "date", "used where a line has no date of its own", "this or claim_line_start_date"),
    Column(
        "claim_end_date",
        "date",
        "if later than claim_start_date, a date of service taken from there is in doubt; what cannot be read is empty",
    ),
    Column("claim_line_start_date", "date", "date of service", "this or claim_start_date"),
    Column("claim_line_end_date", "date", "carried along; what cannot be read is empty"),
    Column("place_of_service_code", "text", "carried along"),
    Column("bill_type_code", "text", "institutional claims: its last digit is used for a missing claim_frequency_code where it is 7 or 8"),
    Column("revenue_center_code", "text", "carried along"),
    Column("service_unit_quantity", "units", "units of service; a negative number marks a reversal"),
    Column("hcpcs_code", "text", "CPT or HCPCS Level II code", "column", "upper case"),
    Column(
        "hcpcs_modifier_1",
        "text",
        "modifier; the order of the five has no meaning",
        case="upper case",
        without="no side is known: what would be a violation at one site is a review",
    ),
    Column("hcpcs_modifier_2", "text", "modifier", case="upper case"),
    Column("hcpcs_modifier_3", "text", "modifier", case="upper case"),
    Column("hcpcs_modifier_4", "text", "modifier", case="upper case"),
    Column("hcpcs_modifier_5", "text", "modifier", case="upper case"),
    Column("rendering_npi", "text", "rendering provider: who did the procedure", without="the billing provider is taken to have done it"),
    Column("billing_npi", "text", "billing provider: who submitted the claim and is paid"),
    Column("facility_npi", "text", "service facility: where it was done"),
    Column("paid_date", "date", "date of adjudication; orders a claim's versions", without="versions of a claim cannot be put in order"),
    Column("paid_amount", "amount", "what the plan paid; a negative amount marks a reversal", "column"),
    Column(
        "allowed_amount",
        "amount",
        "with paid_amount it distinguishes a line that paid nothing from a denied one; what cannot be read is empty",
    ),
    Column("charge_amount", "amount", "what was billed; a negative amount marks a reversal"),
    *(Column(f"diagnosis_code_{n}", "text", "carried along") for n in range(1, 26)),
    Column("data_source", "text", "the system that numbered the claim: a claim is data source and claim number together"),
    Column("file_name", "text", "carried along; duplicates may differ in it"),
    Column("file_date", "date", "orders versions with the same paid_date; duplicates may differ in it"),
    Column(
        "version_number",
        "integer",
        "a payer's own order among versions of one date of adjudication",
        is_ours=True,
    ),
    Column(
        "claim_status",
        "text",
        "paid, denied, reversed or pending; empty means paid",
        case="lower case",
        is_ours=True,
        without="denied and reversed lines count as paid",
    ),
    Column(
        "claim_frequency_code",
        "text",
        "claim frequency code (CLM05-3): 1 original, 7 replacement, 8 void; others act as 1",
        case="no leading zeros",
        is_ours=True,
        without="replaced and voided claims count, unless the type of bill shows them",
    ),
    Column(
        "replaced_claim_id",
        "text",
        "original reference number (REF*F8): the claim that a 7 or 8 acts on; empty means its own",
        is_ours=True,
    ),
    Column(
        "line_of_business",
        "text",
        "decides whether the policy applies or a coverage that takes precedence",
        case="lower case",
        is_ours=True,
        without="every finding is a review until --line-of-business says which it is",
    ),
    Column("state", "text", "two letters; carried along", is_ours=True),
    Column(
        "prior_authorization_number", "text", "prior authorization (REF*G1): filled where the service was approved beforehand", is_ours=True
    ),
)

BATCH_SCHEMA = pa.schema([pa.field(column.name, column.arrow_type) for column in COLUMNS])

QUARANTINE_REASONS = {
    "unparseable_row": "the record cannot be read as CSV, has too few or too many fields, a lone carriage return, or a field over 64 kB",
    "unterminated_last_row": "the file does not end in a newline, so its last row may have been cut",
    "nul_byte": "a NUL byte",
    "bad_encoding": "not UTF-8",
    "missing_claim_id": "claim_id is empty",
    "missing_claim_line_number": "claim_line_number is empty",
    "missing_member": "member_id is empty",
    "missing_service_date": "claim_line_start_date and claim_start_date are both empty",
    "invalid_date": "not a date, or outside 1990-01-01 to 2099-12-31",
    "invalid_amount": "paid_amount or charge_amount is not an amount of dollars with at most two decimals",
    "invalid_number": "claim_line_number or service_unit_quantity is not a number of the allowed form",
    "unknown_claim_status": "claim_status is no word for paid, denied, reversed or pending",
}
"""Why a row was refused, in the order in which the reasons are tried."""

REMEDIES = {
    "unparseable_row": "give each row as many fields as the header, quote fields with commas or newlines in them, and double a quote in a field",
    "unterminated_last_row": "deliver the file whole, with a newline at its end",
    "nul_byte": "take out NUL bytes",
    "bad_encoding": "save the file as UTF-8",
    "missing_claim_id": "fill claim_id in every row",
    "missing_claim_line_number": "fill claim_line_number in every row",
    "missing_member": "fill member_id in every row",
    "missing_service_date": "fill claim_line_start_date, or claim_start_date, in every row",
    "invalid_date": "write dates as YYYY-MM-DD (or, a whole column alike, as YYYYMMDD, MM/DD/YYYY or DD-MON-YYYY)",
    "invalid_amount": "write amounts as 1234.50, with at most two decimals",
    "invalid_number": "write line and version numbers as whole numbers, units with at most four decimals",
    "unknown_claim_status": "write paid, denied, reversed or pending, or name the plan's own words in the setting claim_statuses",
}
"""What to do about a reason, for whoever makes the extract."""


LAYOUT_REMEDIES = {
    "unparseable_row": "say in the layout how a row is written: separator, quote, header_row, names or widths",
    "bad_encoding": "say in the layout which encoding the file has",
    "invalid_date": "say in the layout how dates are written: dates, or the column under [forms]",
    "invalid_amount": "say in the layout how amounts are written: amounts, or the column under [forms]",
    "invalid_number": "make numbers of the column by an expression in the layout",
    "unknown_claim_status": "say under [values.claim_status] in the layout what the payer's words mean",
}
"""What to do about a reason where the extract is read by a layout; otherwise as for any extract."""


@dataclass(frozen=True)
class Fault:
    """What some quarantined rows of an extract have in common: the reason and the column at fault, and nothing of a cell but its form."""

    reason: str
    column: str | None
    """None where a whole row is at fault."""
    row_count: int
    first_rows: list[int]
    """Row numbers as the file has them, from 1."""
    forms: list[str]
    """What stands in place of a value, the most frequent first: 9 for a digit, A for a letter, all else as it is; what a whole row is like."""
    date_form: str | None = None
    """How the column's dates are read."""
    note: str | None = None
    is_warning: bool = False
    """The note says that rows which were read may be wrong, too."""


ROW_OUTCOMES = {
    "kept": "it has a procedure code of some family, is an adjustment or a reversal, or shares its claim with such a row",
    "not_relevant": "it is valid, and no row of its claim is of that kind",
    "quarantined": "it is refused, and kept in OUT/quarantine as it was read",
    "duplicate": "it repeats a kept row of the same extract in every canonical column but file_name and file_date",
}
"""What becomes of a row that was read; rows and dollars of all outcomes sum to those read."""

LINE_STATUSES = {
    "live": "it counts: the service was done and stands",
    "recovered": "it counts: a reviewer upheld its finding, and what was paid for it was taken back afterwards",
    "reversed": "its latest adjudication takes it back",
    "reversed_elsewhere": "a reversal under another claim number takes it back",
    "voided": "an adjustment with frequency 8 voids its claim, or it is one itself",
    "replaced": "an adjustment with frequency 7 puts another claim, or a later version, in its place",
    "denied": "its status is denied",
    "pending": "its status is pending",
    "not_done": "a modifier says that it was stopped before it began",
    "after_as_of": "its date of service is after the as-of date: it waits",
}
"""What became of a claim line (its `line_status`): live or recovered, or the first of the others that applies, in this order."""
