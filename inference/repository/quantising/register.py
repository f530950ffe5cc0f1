"""The quantisations of this site."""

from inference.core.quantisation import JOB_FILE, QuantisationLine, QuantisationReport
from inference.repository.conversions.register import Conversions
from inference.repository.quantising.plan import QuantisationPlan


class Quantisations(Conversions[QuantisationPlan, QuantisationReport]):
    """The register of quantisations."""

    usual_module = "inference.worker.quantisation"
    job_file = JOB_FILE
    line = QuantisationLine
    participle = "quantised"
    command = "quantise"
