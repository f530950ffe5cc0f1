"""One quantisation as it is now."""

from inference.core.quantisation import QuantisationReport
from inference.repository.conversions.active_conversion import ActiveConversion
from inference.repository.quantising.plan import QuantisationPlan

ActiveQuantisation = ActiveConversion[QuantisationPlan, QuantisationReport]
