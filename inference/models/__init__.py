"""The tables, one file for each."""

from inference.models.api_key import ApiKey, KeyDay
from inference.models.download import Download
from inference.models.federated_identity import FederatedIdentity
from inference.models.health_check import HealthCheck
from inference.models.log_line import LogLine
from inference.models.model_profile import ModelProfile
from inference.models.pool_event import PoolEvent
from inference.models.quantisation import Quantisation
from inference.models.request_record import Capture, RequestRecord
from inference.models.served_model import ServedModel
from inference.models.sign_in import SignInAttempts
from inference.models.stored_conversation import ConversationItem, StoredConversation
from inference.models.stored_response import StoredItem, StoredResponse
from inference.models.upstream import Upstream, UpstreamModel
from inference.models.usage_hour import UsageHour
from inference.models.usage_limits import AccountDay, AccountLimits, GroupLimits

__all__ = [
    "AccountDay",
    "AccountLimits",
    "ApiKey",
    "Capture",
    "ConversationItem",
    "Download",
    "GroupLimits",
    "FederatedIdentity",
    "HealthCheck",
    "KeyDay",
    "LogLine",
    "ModelProfile",
    "PoolEvent",
    "Quantisation",
    "RequestRecord",
    "ServedModel",
    "SignInAttempts",
    "StoredConversation",
    "StoredItem",
    "StoredResponse",
    "Upstream",
    "UpstreamModel",
    "UsageHour",
]
