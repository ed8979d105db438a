"""What a handler finds in its environment (DESIGN 6, functions): the node's, the function's own, then Lambda's variables."""

from __future__ import annotations

from ..model.settings import InvocationSettings
from ..model.workers import FunctionSpec

SECRET_PREFIX = "OUTDIAL_"
"""What begins so is the node's own and never reaches user code (reference/processes 2.2)."""
CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
"""Where one of these is set, an SDK finds credentials of the user's own."""


def bare_name(spec: FunctionSpec) -> str:
    """The function's name as Lambda says it: without version or alias."""
    return spec.name.partition(":")[0]


def worker_environment(spec: FunctionSpec, settings: InvocationSettings) -> dict[str, str]:
    """The whole environment of a function's workers; `AWS_EXECUTION_ENV` is added by the bootstrap, which knows the version it runs on."""
    inherited = {name: value for name, value in settings.environment.items() if not name.startswith(SECRET_PREFIX)}
    inherited.pop("TZ", None)  # the machine's own; Lambda runs in UTC
    own = spec.environment
    name = bare_name(spec)
    region = own.get("AWS_REGION") or inherited.get("AWS_REGION") or inherited.get("AWS_DEFAULT_REGION") or settings.region
    environment = {
        "TZ": ":UTC",
        **inherited,
        **own,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": own.get("AWS_DEFAULT_REGION") or region,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "_HANDLER": spec.handler,
    }
    if settings.endpoint:
        environment.setdefault("AWS_ENDPOINT_URL_CHIME", settings.endpoint)
        environment.setdefault("AWS_ENDPOINT_URL_CHIME_SDK_VOICE", settings.endpoint)
    if settings.access_key and not any(environment.get(name) for name in CREDENTIALS):
        environment["AWS_ACCESS_KEY_ID"] = settings.access_key
        environment["AWS_SECRET_ACCESS_KEY"] = settings.secret_key
        environment.pop("AWS_SESSION_TOKEN", None)
    return environment
