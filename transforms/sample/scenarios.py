"""People of the sample whose claims break a rule, or only look as if they did: each with what the audit must say of them.

`PLANTED` is the list; a person's place in it is the person's number. Dates are judged on `AS_OF`.
"""

from sij_audit.transforms.sample.expected import Scenario
from sij_audit.transforms.sample.further_scenarios import FURTHER
from sij_audit.transforms.sample.interval_scenarios import INTERVALS
from sij_audit.transforms.sample.procedure_scenarios import PROCEDURES
from sij_audit.transforms.sample.series_scenarios import SERIES

PLANTED: tuple[Scenario, ...] = (*INTERVALS, *SERIES, *PROCEDURES, *FURTHER)
