"""Every setting: its name, kind, default and meaning, and the plain values that the rooms make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ..errors import OutdialError
from ..model.ids import FunctionName
from ..model.media import Configure
from ..model.settings import CallSettings, InvocationSettings, Trunk
from ..model.workers import FunctionSpec
from . import kinds
from .functions import function_spec

Duration = Annotated[float, BeforeValidator(kinds.read_duration)]
OptionalDuration = Annotated[float | None, BeforeValidator(kinds.read_optional_duration)]
Countries = Annotated[tuple[str, ...] | None, BeforeValidator(kinds.read_countries)]
Prefixes = Annotated[tuple[str, ...], BeforeValidator(kinds.read_prefixes)]


class TrunkSetting(BaseModel):
    """A trunk: an address, or a table."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    uri: Annotated[str, BeforeValidator(kinds.read_trunk_uri)] = Field(description="Its SIP address.")
    name: str = Field("", description="A name for it; the address where none is given.")
    user: str = Field("", description="Name to answer its challenges with (digest, RFC 7616); empty: none.")
    password: str = Field("", repr=False, exclude=True, description="The password that goes with `user`; shown nowhere.")
    nat: bool = Field(False, description="It is behind NAT: audio is believed from wherever it comes.")
    symmetric: bool = Field(True, description="Audio may come from another port than its SDP says.")


class FunctionSetting(BaseModel):
    """A function: a SPEC, or a table."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    spec: str = Field(description="`python:PATH.py:NAME`, `python:FOLDER:MODULE.NAME`, `node:PATH.js:NAME` or an `http(s)://` address.")
    interpreter: str | None = Field(None, description="The interpreter that runs it.")
    environment: dict[str, str] = Field({}, description="Variables that it finds beside the node's own.")
    memory: int = Field(1024, ge=16, description="Megabytes of memory that its workers may use, each with its children.")
    max_workers: int | None = Field(None, ge=1, description="As the setting of that name, for this function.")


class Config(BaseModel):
    """Every setting. The names are keys of the TOML file, and `OUTDIAL_` plus the name in capitals in the environment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path = Field(Path("outdial-data"), description="Folder for everything that the node keeps.")
    http: Annotated[kinds.HostPort, BeforeValidator(kinds.read_host_port)] = Field(
        kinds.HostPort("127.0.0.1", 8060), description="Where the API listens."
    )
    sip: Annotated[kinds.HostPort, BeforeValidator(kinds.read_host_port)] = Field(
        kinds.HostPort("127.0.0.1", 5060), description="Where SIP listens (UDP)."
    )
    rtp: Annotated[kinds.PortRange, BeforeValidator(kinds.read_port_range)] = Field(
        kinds.PortRange(10000, 19999), description="Ports for audio, two a call."
    )
    advertise: Annotated[str | None, BeforeValidator(kinds.read_address)] = Field(
        None, description="Address of this machine as trunks see it, where that is not the one that SIP listens on."
    )
    trunk: Annotated[tuple[TrunkSetting, ...], BeforeValidator(kinds.read_trunks)] = Field(
        (), description="Where calls go out; the first one takes all of them. None: the built-in carrier."
    )
    function: Annotated[dict[str, FunctionSetting], BeforeValidator(kinds.read_functions)] = Field(
        {}, description="Functions by name: what serves an application's handler."
    )
    s3: str | None = Field(None, description="Address of an S3-compatible store in which buckets are; none: folders under `data`.")
    aws: bool = Field(False, description="Buckets are those of Amazon S3, with the usual AWS settings and credentials.")

    ring_timeout: Duration = Field(90.0, description="How long a call rings before it is given up.")
    max_call: Duration = Field(4 * 3600.0, description="The longest call.")
    max_calls: int | None = Field(None, ge=1, description="Calls in progress at most, in all.")
    max_calls_per_key: int | None = Field(None, ge=1, description="Calls in progress at most, for one access key.")
    max_recording: OptionalDuration = Field(None, description="The longest recording, and the default where an action names none.")
    allow_countries: Countries = Field(
        None, description="Countries (two letters) that may be called; none given: those of the numbers owned."
    )
    allow_prefixes: Prefixes = Field((), description="Numbers beginning so may be called whatever their kind; never emergency numbers.")
    limits: Literal["strict", "relaxed"] = Field(
        "relaxed", description="`strict`: the documented quotas of AWS; `relaxed`: only what protects the machine."
    )

    handler_timeout: Duration = Field(20.0, description="How long a handler may take, waiting for a worker and all attempts included.")
    handler_warn: Duration = Field(5.0, description="After so long a warning says which part took the time.")
    handler_retries: int = Field(1, ge=0, le=5, description="How often an event is given again to a handler that failed.")
    resend_after: OptionalDuration = Field(None, description="Give an event again when it is not answered after so long, as AWS does; off.")
    max_workers: int = Field(64, ge=1, le=1000, description="Workers of one function at most.")
    worker_idle: Duration = Field(60.0, description="A worker beyond the first ends after so long without work.")
    reload: bool | None = Field(None, description="New workers when a handler's file changes; unset: on a loopback node.")
    python: str | None = Field(None, description="Interpreter for Python handlers; unset: `.venv` beside the file, else the node's own.")
    node: str | None = Field(None, description="Interpreter for JavaScript handlers; unset: `node` on the path.")
    http_proxy: str | None = Field(None, description="Proxy for functions that are addresses.")
    ca_file: Path | None = Field(None, description="Certificates to trust for functions that are addresses.")

    comfort: Literal["silence", "nothing"] = Field("silence", description="What is sent while nothing plays.")
    rtp_timeout: Duration = Field(30.0, description="After so long without audio from the far end it is noted.")
    rtp_timeout_ends: bool = Field(False, description="It also ends the call then.")

    drain_timeout: Duration = Field(20.0, description="How long calls may go on after the node was asked to end.")
    deliver_timeout: Duration = Field(10.0, description="How long a recording may take to its bucket before the call goes on without.")

    account: str = Field("000000000000", pattern=r"^\d{12}$", description="Account id in events and ARNs.")
    region: str = Field("us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="Default Region in what is made.")
    numbers: Annotated[
        tuple[Annotated[kinds.NumberRange, BeforeValidator(kinds.read_number_range)], ...], BeforeValidator(kinds.read_list)
    ] = Field((kinds.NumberRange("+12065550100", "+12065550149"),), description="Numbers that can be searched and ordered over the API.")

    carrier: Annotated[kinds.HostPort, BeforeValidator(kinds.read_host_port)] = Field(
        kinds.HostPort("127.0.0.1", 5070), description="Where the built-in carrier listens (UDP)."
    )
    carrier_rtp: Annotated[kinds.PortRange, BeforeValidator(kinds.read_port_range)] = Field(
        kinds.PortRange(20000, 21999), description="Ports for the carrier's audio."
    )
    subscribers: Path | None = Field(None, description="A TOML file of subscribers, in place of the built-in ones (docs/carrier.md).")

    log: Literal["debug", "info", "warning", "error"] = Field("info", description="What the log says, at least.")

    # --- as the rooms want them ---

    @property
    def builtin_carrier(self) -> bool:
        """No trunk is named: calls go to the carrier in the box."""
        return not self.trunk

    @property
    def local_host(self) -> str:
        """The address in our SDP and Contact. Raises `OutdialError` where SIP listens on a wildcard and nothing is advertised."""
        if self.advertise is not None:
            return self.advertise
        if self.sip.everywhere:
            raise OutdialError("advertise_needed", address=str(self.sip))
        return self.sip.host

    def trunk_settings(self) -> Trunk:
        """The trunk that takes all calls."""
        if not self.trunk:
            return Trunk(name="carrier", uri=f"sip:{self.carrier}", builtin=True)
        first = self.trunk[0]
        return Trunk(name=first.name or first.uri.partition(":")[2], uri=first.uri, nat=first.nat, symmetric=first.symmetric)

    def trunk_credentials(self) -> tuple[str, str] | None:
        """User and password for the trunk that takes all calls, where it asks for them."""
        first = self.trunk[0] if self.trunk else None
        return (first.user, first.password) if first is not None and first.user else None

    def call_settings(self) -> CallSettings:
        """What call control obeys."""
        return CallSettings(
            ring_timeout_s=self.ring_timeout,
            max_call_s=self.max_call,
            deliver_timeout_s=self.deliver_timeout,
            max_calls=self.max_calls,
            max_calls_per_key=self.max_calls_per_key,
            max_invocations=1000 if self.limits == "strict" else None,
            allowed_countries=self.allow_countries,
            allowed_prefixes=self.allow_prefixes,
            rtp_timeout_ends=self.rtp_timeout_ends,
            max_recording_s=None if self.max_recording is None else round(self.max_recording),
            limits=self.limits,
            trunk=self.trunk_settings(),
            local_host=self.local_host,
            recordings=str(self.data / "recordings"),
        )

    def invocation_settings(self) -> InvocationSettings:
        """What `apps/invocations` obeys; what it needs of the running node is left to who starts it."""
        return InvocationSettings(
            handler_timeout_s=self.handler_timeout,
            warn_after_s=self.handler_warn,
            handler_retries=self.handler_retries,
            resend_after_s=self.resend_after,
            idle_worker_s=self.worker_idle,
        )

    def engine_settings(self) -> Configure:
        """The engine's first frame."""
        host = "127.0.0.1" if self.sip.host == "localhost" else self.sip.host
        return Configure(ports=(self.rtp.first, self.rtp.last), addresses=(host,), comfort=self.comfort, rtp_timeout_s=self.rtp_timeout)

    def function_specs(self) -> tuple[FunctionSpec, ...]:
        """Each function. Raises `ConfigError` for a SPEC that is none."""
        interpreters = {"python": self.python, "node": self.node, "http": None}
        specs = []
        for name, setting in self.function.items():
            spec = function_spec(FunctionName(name), setting.spec, setting=f"function.{name}")
            specs.append(
                FunctionSpec(
                    name=spec.name,
                    kind=spec.kind,
                    target=spec.target,
                    handler=spec.handler,
                    interpreter=setting.interpreter or interpreters[spec.kind],
                    environment=setting.environment,
                    memory_mb=setting.memory,
                    max_workers=setting.max_workers or self.max_workers,
                )
            )
        return tuple(specs)
