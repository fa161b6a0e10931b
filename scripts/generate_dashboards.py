"""Builds the dashboards: a few kinds of panels, laid out in rows. A test sees that what is shipped is what this makes.

python scripts/generate_dashboards.py
"""

import json
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "integrations" / "grafana" / "dashboards"
SOURCES = {"prometheus": "${ds_prom}", "tempo": "${ds_tempo}", "loki": "${ds_loki}"}
AGENT, TOOL, MODEL = (
    "gen_ai_invoke_agent_duration_seconds",
    "gen_ai_execute_tool_duration_seconds",
    "gen_ai_client_operation_duration_seconds",
)
TOKENS = "gen_ai_client_token_usage"
PICKED = 'service_name=~"$service"'


def source(kind):
    return {"type": kind, "uid": SOURCES[kind]}


def panel(title, kind, queries, width, height=8, unit=None, description="", **options):
    """A panel; ``queries`` are (text, legend) for Prometheus, or one query of another source."""
    defaults = {"unit": unit} if unit else {}
    targets = []
    for n, query in enumerate(queries):
        ref = {"refId": "ABCDEFGH"[n], "datasource": source(query["source"])}
        targets.append({**ref, **{k: v for k, v in query.items() if k != "source"}})
    return {
        "title": title,
        "type": kind,
        "description": description,
        "datasource": source(queries[0]["source"]),
        "targets": targets,
        "gridPos": {"w": width, "h": height},
        "fieldConfig": {"defaults": {**defaults, **options.pop("defaults", {})}, "overrides": []},
        "options": options,
    }


def prom(expr, legend="", instant=False):
    return {"source": "prometheus", "expr": expr, "legendFormat": legend, "instant": instant, "range": not instant}


def traceql(query, table="spans", limit=50):
    return {"source": "tempo", "queryType": "traceql", "query": query, "tableType": table, "limit": limit}


def logql(query):
    return {"source": "loki", "expr": query, "queryType": "range"}


def rate(metric, by, extra=""):
    return f"sum by ({by}) (rate({metric}_count{{{PICKED}{extra}}}[$__rate_interval]))"


def quantile(share, metric, by=""):
    grouped = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({grouped}) (rate({metric}_bucket{{{PICKED}}}[$__rate_interval])))"


def total(metric, extra=""):
    return f"sum (increase({metric}{{{PICKED}{extra}}}[$__range])) or vector(0)"


def dashboard(uid, title, rows, variables=()):
    """A dashboard of rows of panels, each row as high as its highest panel."""
    panels, y = [], 0
    for row in rows:
        x = 0
        for one in row:
            one["gridPos"] |= {"x": x, "y": y}
            one["id"] = len(panels) + 1
            panels.append(one)
            x += one["gridPos"]["w"]
        y += max(one["gridPos"]["h"] for one in row)
    sources = [
        {"name": f"ds_{short}", "label": kind, "type": "datasource", "query": kind, "hide": 2}
        for short, kind in (("prom", "prometheus"), ("tempo", "tempo"), ("loki", "loki"))
    ]
    links = [{"title": "turnspan", "type": "dashboards", "tags": ["turnspan"], "asDropdown": True, "keepTime": True}]
    return {
        "uid": uid,
        "id": None,
        "title": title,
        "tags": ["turnspan"],
        "schemaVersion": 39,
        "editable": True,
        "version": 1,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "links": links,
        "panels": panels,
        "templating": {"list": [*sources, *variables]},
    }


SERVICE = {
    "name": "service",
    "label": "service",
    "type": "query",
    "datasource": source("prometheus"),
    "includeAll": True,
    "multi": True,
    "allValue": ".*",
    "current": {"text": "All", "value": "$__all"},
    "refresh": 2,
    "query": {"query": "label_values(turnspan_events_recorded_total, service_name)", "refId": "service"},
}
SESSION = {"name": "session", "label": "session", "type": "textbox", "query": "", "current": {"text": "", "value": ""}}
TO_SESSION = {
    "links": [
        {
            "title": "This session",
            "url": '/d/turnspan-session?var-session=${__data.fields["gen_ai.conversation.id"]}&${__url_time_range}',
        }
    ]
}
TURNS = (
    "{{ span.turnspan.turn.status != nil {more}}} | select(span.gen_ai.conversation.id, span.turnspan.turn.id, "
    "span.gen_ai.agent.name, span.turnspan.turn.status, span.turnspan.audit_event_count, span.session.id)"
)


def _of_turns():
    """Return how many turns there are, how long they take, and how many fail."""
    failed = f'sum(rate({AGENT}_count{{{PICKED}, error_type!=""}}[$__rate_interval]))'
    return [
        panel(
            "Turns a second, by agent",
            "timeseries",
            [prom(rate(AGENT, "gen_ai_agent_name"), "{{gen_ai_agent_name}}")],
            8,
            unit="ops",
        ),
        panel(
            "Duration of a turn",
            "timeseries",
            [prom(quantile(q, AGENT), f"p{q * 100:.0f}") for q in (0.5, 0.95)],
            8,
            unit="s",
        ),
        panel(
            "Share that fails",
            "timeseries",
            [prom(f"{failed} / sum(rate({AGENT}_count{{{PICKED}}}[$__rate_interval]))", "failed")],
            8,
            unit="percentunit",
        ),
    ]


def sessions():
    turns = panel(
        "Turns",
        "table",
        [traceql(TURNS.format(more=""))],
        24,
        11,
        defaults=TO_SESSION,
        description="The newest turns; a click on a conversation opens its session.",
    )
    return dashboard(
        "turnspan-sessions",
        "turnspan: sessions",
        [
            [
                panel("Turns", "stat", [prom(total(f"{AGENT}_count"), instant=True)], 6, 4),
                panel("Failed", "stat", [prom(total(f"{AGENT}_count", ', error_type!=""'), instant=True)], 6, 4),
                panel("Tokens", "stat", [prom(total(f"{TOKENS}_sum"), instant=True)], 6, 4, "short"),
                panel("Tool calls", "stat", [prom(total(f"{TOOL}_count"), instant=True)], 6, 4),
            ],
            _of_turns(),
            [
                panel(
                    "Tokens a second",
                    "timeseries",
                    [
                        prom(
                            f"sum by (gen_ai_token_type) (rate({TOKENS}_sum{{{PICKED}}}[$__rate_interval]))",
                            "{{gen_ai_token_type}}",
                        )
                    ],
                    12,
                ),
                panel(
                    "Handoffs",
                    "table",
                    [
                        traceql(
                            "{ span.turnspan.handoff.to != nil } | select(span.gen_ai.conversation.id, span.turnspan.handoff.from, span.turnspan.handoff.to)"
                        )
                    ],
                    12,
                    defaults=TO_SESSION,
                ),
            ],
            [turns],
        ],
        [SERVICE],
    )


def session():
    here = 'span.gen_ai.conversation.id = "$session"'
    turns = TURNS.format(more=f"&& {here} ")
    steps = f"{{ {here} }} | select(span.gen_ai.operation.name, span.gen_ai.tool.name, span.gen_ai.request.model, span.turnspan.audit_event_id, span.error.type)"
    linked = '{ %s && (link.turnspan.link.kind = "handoff" || link.turnspan.link.kind = "previous_turn") }' % here
    return dashboard(
        "turnspan-session",
        "turnspan: one session",
        [
            [panel("Turns", "table", [traceql(turns)], 24, 8)],
            [
                panel("Steps: agents, models, tools", "table", [traceql(steps, limit=200)], 14, 12),
                panel("Handed off, and gone on with", "table", [traceql(linked)], 10, 12),
            ],
            [
                panel(
                    "Audit events",
                    "logs",
                    [logql('{service_name=~".+"} | gen_ai_conversation_id="$session"')],
                    24,
                    14,
                    showTime=True,
                    wrapLogMessage=True,
                    enableLogDetails=True,
                    sortOrder="Ascending",
                )
            ],
        ],
        [SESSION],
    )


def _by(metric, name, label, what):
    """Return how often something is called, fails, and how long it takes."""
    legend = "{{%s}}" % label
    return [
        panel(f"{what} a second", "timeseries", [prom(rate(metric, label), legend)], 8, unit="ops"),
        panel(
            f"{name} that fail, by error",
            "timeseries",
            [prom(rate(metric, f"{label}, error_type", ', error_type!=""'), legend + " {{error_type}}")],
            8,
            unit="ops",
        ),
        panel(f"{name}: p95", "timeseries", [prom(quantile(0.95, metric, label), legend)], 8, unit="s"),
    ]


def tools_and_models():
    priced = (
        f"sum by (gen_ai_request_model, gen_ai_token_type) (increase({TOKENS}_sum{{{PICKED}}}[$__range])) / 1e6 "
        "* on (gen_ai_request_model, gen_ai_token_type) group_left () turnspan_price_usd_per_million_tokens"
    )
    slow = '{ span.gen_ai.operation.name = "execute_tool" && span:duration > 1s } | select(span.gen_ai.tool.name, span.gen_ai.conversation.id, span.turnspan.audit_event_id, span.error.type)'
    under = '{ span.gen_ai.operation.name = "invoke_agent" } >> { span:status = error && span.error.type != nil } | select(span.gen_ai.conversation.id, span.gen_ai.tool.name, span.error.type)'
    return dashboard(
        "turnspan-tools",
        "turnspan: tools and models",
        [
            _by(TOOL, "Tools", "gen_ai_tool_name", "Tool calls"),
            _by(MODEL, "Models", "gen_ai_request_model", "Model calls"),
            [
                panel(
                    "Tokens, by model",
                    "timeseries",
                    [
                        prom(
                            f"sum by (gen_ai_request_model, gen_ai_token_type) (rate({TOKENS}_sum{{{PICKED}}}[$__rate_interval]))",
                            "{{gen_ai_request_model}} {{gen_ai_token_type}}",
                        )
                    ],
                    12,
                ),
                panel(
                    "Cost",
                    "stat",
                    [prom(f"sum by (gen_ai_request_model) ({priced})", "{{gen_ai_request_model}}", instant=True)],
                    12,
                    unit="currencyUSD",
                    description="An estimate: tokens by the price table in integrations/prometheus/prices.yaml.",
                ),
            ],
            [
                panel(
                    "Spans of tools and models, from the Collector",
                    "timeseries",
                    [
                        prom(
                            'sum by (gen_ai_operation_name, status_code) (rate(traces_span_metrics_calls_total{gen_ai_operation_name!=""}[$__rate_interval]))',
                            "{{gen_ai_operation_name}} {{status_code}}",
                        )
                    ],
                    24,
                    6,
                    unit="ops",
                )
            ],
            [
                panel("Slow calls of tools", "table", [traceql(slow)], 12, 10, defaults=TO_SESSION),
                panel("What failed under an agent", "table", [traceql(under)], 12, 10, defaults=TO_SESSION),
            ],
        ],
        [SERVICE],
    )


def _what_is_missing():
    """Return what was recorded, and what was lost, not sent or not proven."""
    return [
        panel("Events recorded", "stat", [prom(total("turnspan_events_recorded_total"), instant=True)], 6, 4),
        panel("Events lost", "stat", [prom(total("turnspan_events_dropped_total"), instant=True)], 6, 4),
        panel(
            "Spans not sent",
            "stat",
            [prom(total("turnspan_spans_total", ', turnspan_state!="exported"'), instant=True)],
            6,
            4,
        ),
        panel(
            "Not proven",
            "stat",
            [prom('sum(turnspan_verify_checks{turnspan_verdict!="ok"}) or vector(0)', instant=True)],
            6,
            4,
            description="What the last `turnspan verify --otlp URL` found.",
        ),
    ]


def integrity():
    lag = f"sum by (service_name) (turnspan_events_recorded_total{{{PICKED}}}) - sum by (service_name) (turnspan_events_stored_total{{{PICKED}}}) - sum by (service_name) (turnspan_events_dropped_total{{{PICKED}}})"
    return dashboard(
        "turnspan-integrity",
        "turnspan: integrity",
        [
            _what_is_missing(),
            [
                panel(
                    "Behind: events that the store does not have yet", "timeseries", [prom(lag, "{{service_name}}")], 12
                ),
                panel(
                    "Spans, by exporter and state",
                    "timeseries",
                    [
                        prom(
                            f"sum by (turnspan_exporter, turnspan_state) (rate(turnspan_spans_total{{{PICKED}}}[$__rate_interval]))",
                            "{{turnspan_exporter}} {{turnspan_state}}",
                        )
                    ],
                    12,
                ),
            ],
            [
                panel(
                    "Failures of turnspan itself",
                    "timeseries",
                    [
                        prom(
                            f"sum by (turnspan_cause) (increase(turnspan_problems_total{{{PICKED}}}[$__rate_interval]))",
                            "{{turnspan_cause}}",
                        )
                    ],
                    12,
                ),
                panel(
                    "Last verification",
                    "table",
                    [prom("sum by (turnspan_check, turnspan_verdict) (turnspan_verify_checks)", instant=True)],
                    12,
                ),
            ],
            [
                panel(
                    "Seals and erasures", "logs", [logql('{service_name=~".+"} | event_name="turnspan.noted"')], 24, 10
                )
            ],
        ],
        [SERVICE],
    )


def built():
    """Return the dashboards by file name."""
    made = {"sessions": sessions(), "session": session(), "tools": tools_and_models(), "integrity": integrity()}
    return {f"{name}.json": json.dumps(one, indent=1) + "\n" for name, one in made.items()}


if __name__ == "__main__":
    for name, text in built().items():
        (FOLDER / name).write_text(text)
