import { toPrometheusText, type Metric, type Sample } from "../../domain/prometheus.ts";
import { countOpenAlerts } from "../../store/alerts.ts";
import { countPendingEffects } from "../../store/effects.ts";
import { listRunTotals, type RunTotal } from "../../store/figures.ts";
import { countProjects } from "../../store/projects.ts";
import { countTasks } from "../../store/tasks.ts";
import { workersMax } from "../governor.ts";
import { countCircuits } from "./circuits.ts";
import type { ControlParts, Verbs } from "./scope.ts";

/** Numbers for a monitoring system, which asks for them now and then. */
export function metricsVerbs(parts: ControlParts): Verbs<"getMetrics"> {
  return {
    getMetrics: () => toPrometheusText([...standing(parts), ...ofRuns(listRunTotals(parts.database.reader, parts.daemon.startedAt))]),
  };
}

function standing(parts: ControlParts): Metric[] {
  const { database, clock, daemon, engine } = parts;
  const { reader } = database;
  const { open, halfOpen } = countCircuits(parts);
  const uptime = Math.max(0, clock.now() - daemon.startedAt) / 1000;
  return [
    gauge("drover_tasks", "Tasks by what they are at.", by("status", countTasks(reader))),
    gauge("drover_projects", "Registered projects.", one(countProjects(reader))),
    gauge("drover_workers", "Runs that may be open at once.", one(workersMax(parts, reader))),
    gauge("drover_alerts_open", "What a person must see.", one(countOpenAlerts(reader))),
    gauge("drover_effects_pending", "What is still to be done outside.", one(countPendingEffects(reader))),
    gauge("drover_circuits", "Circuit breakers that are not closed.", by("state", { open, half_open: halfOpen })),
    gauge("drover_memory_bytes", "Memory in use.", by("of", { daemon: process.memoryUsage.rss(), agents: engine.agentsMemoryBytes })),
    gauge("drover_uptime_seconds", "Time since the daemon began.", one(uptime)),
  ];
}

function ofRuns(totals: readonly RunTotal[]): Metric[] {
  const samples = (valueOf: (total: RunTotal) => number, more: Readonly<Record<string, string>> = {}): Sample[] =>
    totals.map((total) => {
      const { project, agent, outcome } = total;
      return { labels: { project, agent, outcome, ...more }, value: valueOf(total) };
    });
  return [
    counter(
      "drover_runs_total",
      "Number",
      samples(({ runs }) => runs),
    ),
    counter(
      "drover_run_duration_seconds_total",
      "Time",
      samples(({ durationMs }) => durationMs / 1000),
    ),
    counter(
      "drover_cost_usd_total",
      "Cost, as agents told it,",
      samples(({ costUsdMicros }) => costUsdMicros / 1_000_000),
    ),
    counter("drover_tokens_total", "Tokens", [
      ...samples(({ inputTokens }) => inputTokens, { type: "input" }),
      ...samples(({ outputTokens }) => outputTokens, { type: "output" }),
    ]),
  ];
}

function counter(name: string, what: string, samples: readonly Sample[]): Metric {
  return { name, help: `${what} of runs that began and ended since the daemon began.`, kind: "counter", samples };
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, kind: "gauge", samples };
}

function one(value: number): Sample[] {
  return [{ labels: {}, value }];
}

function by(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
