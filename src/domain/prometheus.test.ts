import { expect, test } from "vitest";
import { toPrometheusText } from "./prometheus.ts";

test("a metric has its help, its kind and a line for each sample, in which names from outside do no harm", () => {
  const text = toPrometheusText([
    {
      name: "runs_total",
      help: "Runs\nthat ended.",
      kind: "counter",
      samples: [
        { labels: { project: 'a"b\\c\n# HELP x', agent: "claude" }, value: 3 },
        { labels: {}, value: 0.25 },
      ],
    },
    { name: "alerts", help: "Open alerts.", kind: "gauge", samples: [] },
  ]);
  expect(text).toBe(
    [
      "# HELP runs_total Runs\\nthat ended.",
      "# TYPE runs_total counter",
      'runs_total{project="a\\"b\\\\c\\n# HELP x",agent="claude"} 3',
      "runs_total 0.25",
      "# HELP alerts Open alerts.",
      "# TYPE alerts gauge",
      "",
    ].join("\n"),
  );
});
