/** A bug to plant: in each of some files the one place `find` becomes `replace`. The simulator must notice. */
export interface Mutant {
  readonly name: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}

export const mutants: readonly Mutant[] = [
  {
    name: "no breaker: what an open circuit covers starts",
    edits: [
      {
        file: "src/domain/gates.ts",
        find: 'admits(this.#circuit(one), now) === "none")',
        replace: "admits(this.#circuit(one), now) === undefined)",
      },
    ],
  },
  {
    name: "breakers in memory: failures are forgotten",
    edits: [{ file: "src/domain/breaker.ts", find: "const failures = breaker.failures + 1;", replace: "const failures = 1;" }],
  },
  {
    name: "a half-open circuit lets everything through",
    edits: [
      {
        file: "src/domain/breaker.ts",
        find: 'return trial === null ? "trial" : "none";',
        replace: 'return "run";',
      },
    ],
  },
  {
    name: "a usage limit is one run's own matter",
    edits: [
      {
        file: "src/engine/lessons.ts",
        find: 'outcome.reason === "usage_limit" ? noteUsageLimit(',
        replace: 'outcome.reason === "lost" ? noteUsageLimit(',
      },
    ],
  },
  {
    name: "an overload is one run's own matter",
    edits: [
      {
        file: "src/domain/governor.ts",
        find: "  if ((account.pausedUntil ?? 0) > now) return account;\n",
        replace: "  if (now > 0) return account;\n",
      },
    ],
  },
  {
    name: "a slowed account starts as many as ever",
    edits: [
      {
        file: "src/domain/governor.ts",
        find: "if (running < capAt(account, now)) return undefined;",
        replace: "if (running >= 0) return undefined;",
      },
    ],
  },
  {
    name: "a pool takes one more than it has places",
    edits: [
      { file: "src/domain/pools.ts", find: "if (taken >= size)", replace: "if (taken > size)" },
      { file: "src/domain/pools.ts", find: "if (taken + kept >= size)", replace: "if (taken + kept > size)" },
    ],
  },
  {
    name: "a start takes no token of its rate",
    edits: [{ file: "src/engine/dispatcher.ts", find: "if (policy) takeToken(tx, user, policy);", replace: "" }],
  },
  {
    name: "waiting uses up an attempt",
    edits: [
      {
        file: "src/domain/next-step.ts",
        find: "waitUntil(reason, retryAt, run), { keepsAttempt: true,",
        replace: "waitUntil(reason, retryAt, run), { keepsAttempt: false,",
      },
    ],
  },
  {
    name: "after a usage limit a task begins anew",
    edits: [
      {
        file: "src/domain/next-step.ts",
        find: "waitUntil(reason, retryAt, run), { keepsAttempt: true, resumeSessionId: run.sessionId });",
        replace: "waitUntil(reason, retryAt, run), { keepsAttempt: true, resumeSessionId: null });",
      },
    ],
  },
  {
    name: "no fence: a start that a dead daemon asked for may still happen",
    edits: [
      {
        file: "src/engine/reconcile.ts",
        find: "await parts.host.settle(",
        replace: "await parts.host.inspect(",
      },
    ],
  },
  {
    name: "no outbox: an effect is noted as done before it is",
    edits: [
      {
        file: "src/publish/publisher.ts",
        find: "      const done = await this.#perform(effect);\n",
        replace: "      await database.write((tx) => completeEffect(tx, effect.id));\n      const done = await this.#perform(effect);\n",
      },
    ],
  },
  {
    name: "rescue by time: a run is taken for lost because its lease ran out while the process table could not be asked",
    edits: [
      {
        file: "src/engine/reconcile.ts",
        find: "switch (found.state) {",
        replace: 'switch (found.state === "unknown" && run.leaseExpiresAt < parts.clock.now() ? "lost" : found.state) {',
      },
    ],
  },
  {
    name: "pid without start time: another program's process is taken for ours",
    edits: [
      {
        file: "src/process/process-table.ts",
        find: "return found?.startTime === known.startTime;",
        replace: "return found !== undefined;",
      },
    ],
  },
  {
    name: "limit in memory: what runs is counted by what this daemon carries",
    edits: [
      {
        file: "src/engine/governor.ts",
        find: "const taken = takenSeats(reader);",
        replace: "const taken = new Map<string, number>();",
      },
    ],
  },
  {
    name: "one kind of seats: who shares a program is counted with those that are processes",
    edits: [
      {
        file: "src/store/transitions.ts",
        find: "seats: JSON.stringify(seats),",
        replace: "seats: JSON.stringify(seats && [PROCESS_SEAT]),",
      },
    ],
  },
  {
    name: "no reconcile: open runs that nobody carries stay so",
    edits: [
      {
        file: "src/engine/reconcile.ts",
        find: ".filter((id) => !pool.has(id))",
        replace: ".filter(() => false)",
      },
    ],
  },
  {
    name: "no dedup: each look at an issue makes a task",
    edits: [
      {
        file: "src/intake/issue-intake.ts",
        find: "const key = followUps === 0 ? `issue:${number}` :",
        replace: "const key = followUps === 0 ? `issue:${number}@${Math.random()}` :",
      },
      {
        file: "src/store/intake.ts",
        find: "  const { projectId, issue, contentHash, taskId, followUps, open, updatedAt } = state;\n",
        replace: "  if (state) return;\n  const { projectId, issue, contentHash, taskId, followUps, open, updatedAt } = state;\n",
      },
    ],
  },
  {
    name: "checks ignored: the agent's word is enough",
    edits: [
      {
        file: "src/engine/runner.ts",
        find: "if (failing.length === 0 && gate",
        replace: "if (failing.length >= 0 && gate",
      },
    ],
  },
  {
    name: "adopted output is stored again",
    edits: [
      {
        file: "src/engine/agent-turn.ts",
        find: "await recorder.add(event, line.end > job.run.outputOffset);",
        replace: "await recorder.add(event, true);",
      },
    ],
  },
  {
    name: "a run ends while its agent lives",
    edits: [
      {
        file: "src/engine/runner.ts",
        find: "  await save(parts, job, reason);\n  await settleProcesses(parts, job);\n  await save(parts, job, reason);\n",
        replace: "  await save(parts, job, reason);\n",
      },
    ],
  },
  {
    name: "work is not saved before a stop",
    edits: [
      {
        file: "src/engine/runner.ts",
        find: "  await save(parts, job, reason);\n  await settleProcesses(parts, job);\n  await save(parts, job, reason);\n",
        replace: "  await settleProcesses(parts, job);\n",
      },
    ],
  },
  {
    name: "a failed publish is given up",
    edits: [
      {
        file: "src/publish/publisher.ts",
        find: 'const isOutage = error.code === "unavailable"',
        replace: 'const isOutage = error.code === "internal"',
      },
    ],
  },
  {
    name: "a failed poll is an empty one",
    edits: [
      {
        file: "src/intake/project-poll.ts",
        find: "const poll = await forge.poll(target, issueCursor(database.reader, id), signal);",
        replace:
          'const poll = await forge.poll(target, issueCursor(database.reader, id), signal).catch(() => ({ changed: true, complete: true, issues: [], problems: [], cursor: "0" }));',
      },
      { file: "src/intake/project-poll.ts", find: "await forge.getIssue(target, number, signal)", replace: "undefined" },
    ],
  },
];
