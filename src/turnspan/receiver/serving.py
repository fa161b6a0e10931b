"""The process of ``turnspan serve``: receiver, assembly, forwarding and pages around one spool and one recorder."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType
from typing import TYPE_CHECKING

from turnspan._version import __version__
from turnspan.errors import TurnspanError
from turnspan.otel_sdk.setup import own_meter_provider
from turnspan.receiver.app import Receiver
from turnspan.receiver.assembly import Assembly
from turnspan.receiver.dialects.assembly import LogAssembly
from turnspan.receiver.dialects.spool import LogSpool
from turnspan.receiver.forwarding import Forwarding
from turnspan.receiver.health import Counts, observe
from turnspan.receiver.limits import Limits
from turnspan.receiver.spool import Spool
from turnspan.recording import runtime
from turnspan.recording.recorder import Recorder
from turnspan.telemetry.metrics import observe_health
from turnspan.viewer import serving
from turnspan.viewer.source import Source

if TYPE_CHECKING:
    from starlette.types import ASGIApp

PORT = 4318
"""That of OTLP over HTTP, where exporters send without being configured."""
LOG_SPOOL = "received-logs.db"


def serve(
    source: Source,
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    token: str | None = None,
    forward: str | None = None,
    forward_headers: dict[str, str] | None = None,
    limits: Limits | None = None,
    on_ready: Callable[[str], None],
) -> None:
    """Receive until the process is interrupted; turnspan is configured already.

    Args:
        source: What the pages read.
        host: The address to listen on; another than loopback's only with a token.
        port: The port; 0 is any that is free.
        token: What a request must carry, for the pages, too.
        forward: The base of an endpoint that everything is passed on to.
        forward_headers: What each request that is passed on carries besides.
        limits: What is taken at most.
        on_ready: Called with the address once it can be sent to.

    Raises:
        TurnspanError: When it cannot listen there, or may not, or when nothing is to be recorded.

    """
    recorder = runtime.recorder()
    if recorder.disabled:
        raise TurnspanError("TURNSPAN_DISABLED is set: nothing would be recorded of what is received; unset it")
    recorder.settings.make_home()
    with ExitStack() as stack:
        signal.signal(signal.SIGTERM, _leave)  # uvicorn stops, and raises it again
        spool = Spool(recorder.settings.spool_path)
        stack.callback(spool.close)
        logs = LogSpool(recorder.settings.home / LOG_SPOOL)
        stack.callback(logs.close)
        log_assembly = LogAssembly(logs, recorder)
        counts = Counts()
        assembly = Assembly(spool, recorder, counts, recover=recorder.pipeline.recover)
        _observe(recorder, counts, spool)
        forwarding = None if forward is None else Forwarding(spool, forward, forward_headers)

        def around(pages: ASGIApp) -> ASGIApp:
            wake = None if forwarding is None else forwarding.wake
            return Receiver(spool, pages, token=token, forwards=wake, limits=limits, counts=counts, logs=logs)

        def ready(url: str) -> None:
            assembly.start()
            stack.callback(assembly.stop)
            log_assembly.start()
            stack.callback(log_assembly.stop)
            if forwarding is not None:
                forwarding.start()
                stack.callback(forwarding.stop)
            on_ready(url)

        serving.serve(source, host=host, port=port, token=token, on_ready=ready, around=around)


def _observe(recorder: Recorder, counts: Counts, spool: Spool) -> None:
    """Send metrics of receiving and recording where the settings say; those of agents and models are their senders'."""
    provider = own_meter_provider(recorder.settings, recorder)
    if provider is not None:
        meter = provider.get_meter("turnspan", __version__)
        observe(meter, counts, spool)
        observe_health(meter, recorder.health)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """End the process as one that is done, so that what is on record is sealed."""
    sys.exit(0)
