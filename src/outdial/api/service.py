"""The AWS API: bare ASGI from the request line to the response (DESIGN 8: line and size, route, signature, repeat, rate, policy,
validation, gate, act).
"""

from __future__ import annotations

import hashlib
import logging

from ..model.ids import KeyId
from ..model.numbers import mask_all
from ..model.requests import RepeatKey
from ..model.resources import StoreRefused
from . import local, rates, sigv4, wire
from .asgi import Gone, Receive, Scope, Send, check_size, read_body, read_headers, respond
from .context import Context, Means, RequestSeen
from .errors import ServiceError, bad_request, forbidden, unavailable
from .operations import CREATES, SERVED
from .repeats import Outcome, Repeats
from .routes import split_query

log = logging.getLogger("outdial.api")

DEVELOPMENT_KEY = "outdial"
"""Key id and secret of the development credentials: on a loopback listener, under a loopback name, only."""


class Service:
    """Answers the operations of the service model."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._repeats = Repeats(means.resources.repeats)
        self._rates = rates.Rates(rates.STRICT if means.settings.limits == "strict" else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = self._means.now()
        request_id = self._means.ids.uuid()
        headers = read_headers(scope)
        query = scope["query_string"].decode("latin-1")
        if sigv4.meant_for(headers.get("authorization", ""), query) == "s3":
            await self._not_s3(headers, request_id, receive, send)
            return
        error: ServiceError | None = None
        try:
            status, body = await self._answer(scope, headers, query, receive)
        except Gone:
            return
        except ServiceError as refusal:
            error = refusal
        except StoreRefused as refusal:
            error = unavailable(str(refusal))
        except Exception:
            log.exception("x request failed request=%s", request_id)
            error = ServiceError("ServiceFailureException", "An error of this server; its log has the request's id.")
        if error is not None:
            status, body = error.status, error.body()
        extra = [(b"x-amzn-requestid", request_id.encode()), *(error.headers() if error is not None else ())]
        await respond(send, receive, status, body, extra, drain=error is not None and error.close)
        self._means.watch(
            RequestSeen(
                request_id=request_id,
                operation=scope.get("outdial.operation", ""),
                method=scope["method"],
                status=status,
                error=error.name if error is not None else "",
                message=mask_all(error.message) if error is not None else "",
                seconds=self._means.now() - began,
            )
        )

    async def _answer(self, scope: Scope, headers: dict[str, str], query: str, receive: Receive) -> Outcome:
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        check_size(path, query, headers)
        found = wire.find(method, path, split_query(query))
        scope["outdial.operation"] = found[0] if found else ""
        body = await read_body(receive)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise bad_request(f"Content-Encoding '{headers['content-encoding'][:40]}' is not supported: send the body as it is")
        if found is None:
            raise ServiceError("UnknownOperationException", f"No operation stands at {method} {path[:200]}")
        payload_hash = hashlib.sha256(body).hexdigest()
        signature = self.authenticate(method, path, query, headers, payload_hash)
        name, labels = found
        handler = SERVED.get(name)
        if handler is None:
            raise not_served(name)
        operation = wire.MODEL[name]
        key = KeyId(signature.key)
        invocation = headers.get("amz-sdk-invocation-id", "")[:256] if name in CREATES else ""
        repeat = None
        if invocation:
            repeat = RepeatKey(key=key, operation=name, path=path, body_hash=payload_hash, invocation=invocation)

        async def act() -> Outcome:
            now = self._means.now()
            account = self._account_of(key)
            self._rates.take(account, signature.region, name, now)
            context = Context(
                means=self._means,
                operation=operation,
                input=operation.parse(labels, query, body, headers.get("content-type", "")),
                key=key,
                account=account,
                region=signature.region,
                started_at=self._means.wall(now),
                repeat=repeat,
            )
            output = await handler(context)
            return operation.status, operation.serialise(output)

        return await self._repeats.once(repeat, act)

    def authenticate(self, method: str, path: str, query: str, headers: dict[str, str], payload_hash: str) -> sigv4.Signature:
        """The request's signature, verified. Raises `ServiceError`."""

        def secret_of(key: str) -> str | None:
            if key == DEVELOPMENT_KEY and self._means.settings.loopback:
                local.check(headers)
                return DEVELOPMENT_KEY
            return self._means.resources.keys.secret(KeyId(key))

        return sigv4.verify(
            method=method,
            path=path,
            query=query,
            headers=headers,
            payload_hash=payload_hash,
            secret_of=secret_of,
            at=self._means.wall(self._means.now()) / 1000,
        )

    def _account_of(self, key: KeyId) -> str:
        row = self._means.resources.keys.get(key)
        return self._means.settings.account if row is None else row.account

    async def _not_s3(self, headers: dict[str, str], request_id: str, receive: Receive, send: Send) -> None:
        """An S3 client took this port for S3: tell it in the form that it reads."""
        settings = self._means.settings
        where = settings.objects if settings.loopback else "where the operator of this node keeps them"  # a path is not for strangers
        message = (
            f"This is Outdial's API, not S3: objects are {where}. "
            "Point only AWS_ENDPOINT_URL_CHIME_SDK_VOICE (and AWS_ENDPOINT_URL_CHIME) here, not AWS_ENDPOINT_URL."
        )
        text = message.replace("&", "&amp;").replace("<", "&lt;")
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InvalidRequest</Code><Message>{text}</Message></Error>'.encode()
        extra = [(b"x-amz-request-id", request_id.encode()), (b"connection", b"close")]
        await respond(send, receive, 400, body, extra, content_type=b"application/xml", drain="expect" not in headers)


def malformed(request_id: str, message: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """The answer to what is no HTTP request: status, headers, body."""
    error = bad_request(message)
    headers = [(b"content-type", b"application/json"), (b"x-amzn-requestid", request_id.encode()), *error.headers()]
    return error.status, headers, error.body()


def not_served(name: str) -> ServiceError:
    """An operation of the model that is recognised and not served: never a 5xx, which clients would send again."""
    if "AlexaSkill" in name:
        return ServiceError("GoneException", f"{name}: Alexa skills for SIP media applications no longer exist.")
    return forbidden(f"{name} is not supported by this server yet.")
