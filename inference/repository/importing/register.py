"""The imports of this site."""

from inference.core.gguf_import import JOB_FILE, ImportLine
from inference.repository.conversions.active_conversion import ActiveConversion
from inference.repository.conversions.register import Conversions
from inference.repository.importing.plan import ImportPlan

ActiveImport = ActiveConversion[ImportPlan, None]


class Imports(Conversions[ImportPlan, None]):
    """The register of imports."""

    usual_module = "inference.worker.conversion"
    job_file = JOB_FILE
    line = ImportLine
    participle = "imported"
    command = "import_gguf"
