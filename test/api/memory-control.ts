import { createHash } from "node:crypto";
import { AppError } from "../../src/base/errors.ts";
import { newId } from "../../src/base/ids.ts";
import type { FeedSource } from "../../src/api/feed.ts";
import { examples } from "../../src/api/examples.ts";
import type { Control, RequestOf } from "../../src/contract/control.ts";
import type { Message } from "../../src/contract/message.ts";
import type { Card } from "../../src/contract/board.ts";
import type { FiledTask } from "../../src/contract/routes.ts";
import type { Task, TaskStatus } from "../../src/contract/task.ts";

const QUEUE_MAX = 3;

/** A Control that keeps its tasks in memory: enough of one to talk to over HTTP. What it was asked is in `asked`. */
export class MemoryControl {
  readonly #events: FeedSource;
  readonly tasks: Task[] = [];
  readonly asked: { name: string; actor: string; params: unknown; body: unknown }[] = [];
  paused = false;
  projectPath = examples.getProject.response.path;
  /** Called when an answer is made and not yet sent: what happens then is news to who asked. */
  afterAnswer: (name: string) => void = () => {};
  /** In place of what people and agents wrote. */
  hostileText: string | undefined;
  /** What agents print; a run is over when this ends. */
  output: AsyncIterable<{ text: string }> = lines("first", "second", "third");

  /** What a look at a project's issues comes to. */
  poll: () => { created: number; ignored: number; cancelled: number } = () => {
    throw new AppError("timeout", "GitHub did not answer within 10 s. Try again later.");
  };

  constructor(events: FeedSource) {
    this.#events = events;
  }

  /** The methods, each noted in `asked`. */
  readonly control: Control = this.#noted({
    health: () => examples.health.response,
    getDaemon: () => ({ ...examples.getDaemon.response, paused: this.paused, sequence: this.#events.lastSequence() }),
    stopDaemon: () => ({ stopping: true }),
    getConfig: () => examples.getConfig.response,
    listProjects: () => ({ items: [this.#project("api")], next: null }),
    registerProject: ({ body }) => ({ ...this.#project(body.name ?? "api"), path: body.path }),
    getProject: ({ params }) => this.#project(params.project),
    changeProject: ({ params, body }) => ({ ...this.#project(params.project), ...defined(body) }),
    unregisterProject: ({ params }) => this.#project(params.project),
    pollProject: () => this.poll(),
    listTasks: ({ query }) => this.#list(query),
    createTask: (request) => this.#create(request),
    getTask: ({ params }) => ({
      ...this.#find(params.task),
      hold: null,
      runs: examples.getTask.response.runs,
      effects: [],
      checkpoints: [],
    }),
    chat: () => examples.chat.response,
    getMetrics: () => examples.getMetrics.response,
    changeTask: ({ params, body }) => Object.assign(this.#find(params.task), body),
    getBoard: () => ({ cards: this.tasks.map((task) => this.#card(task)), omitted: 0, sequence: this.#events.lastSequence() }),
    getCards: ({ query }) => ({ cards: this.tasks.filter(({ id }) => query.ids.includes(id)).map((task) => this.#card(task)) }),
    setSetting: () => ({ warnings: [] }),
    getWorkflowText: () => examples.getWorkflowText.response,
    writeWorkflow: () => examples.writeWorkflow.response,
    getFigures: () => examples.getFigures.response,
    cancelTask: ({ params }) => this.#move(params.task, "cancelled"),
    retryTask: ({ params }) => {
      const task = this.#find(params.task);
      if (task.status === "running") throw new AppError("conflict", `${task.key} is running. Cancel it first.`);
      return this.#move(params.task, "queued");
    },
    setDependencies: ({ params, body }) => {
      const task = this.#find(params.task);
      task.dependsOn = this.tasks.flatMap(({ id, key }) => (body.dependsOn.includes(key) ? [id] : []));
      task.status = body.dependsOn.length === 0 ? "queued" : "waiting";
      return task;
    },
    getGraph: () => ({ tasks: this.tasks.map((task) => ({ ...task, title: this.hostileText ?? task.title })), omitted: 0 }),
    getTaskDiff: () => this.hostileText ?? examples.getTaskDiff.response,
    approveTask: () => examples.approveTask.response,
    denyTask: () => examples.denyTask.response,
    getTaskTree: () => examples.getTaskTree.response,
    listTaskNotes: () => examples.listTaskNotes.response,
    rollBackTask: () => examples.rollBackTask.response,
    getTaskBundle: () => examples.getTaskBundle.response,
    getPrdTemplate: () => examples.getPrdTemplate.response,
    previewPrd: () => examples.previewPrd.response,
    runPrd: () => examples.runPrd.response,
    getPrd: () => examples.getPrd.response,
    changePass: () => examples.changePass.response,
    listWorkflows: () => examples.listWorkflows.response,
    getWorkflow: () => examples.getWorkflow.response,
    renderWorkflow: () => examples.renderWorkflow.response,
    rollBackWorkflow: () => examples.rollBackWorkflow.response,
    restoreTask: ({ body }) => ({ ...examples.restoreTask.response, path: body.to }),
    listRuns: () => examples.listRuns.response,
    getRun: ({ params }) => {
      if (params.run !== examples.getRun.response.id) throw new AppError("not_found", `There is no run ${params.run}.`);
      return examples.getRun.response;
    },
    getRunOutput: ({ params }) => {
      if (params.run !== examples.getRun.response.id) throw new AppError("not_found", `There is no run ${params.run}.`);
      return this.output;
    },
    answerRun: ({ body }) => {
      if (body.question !== "q1") throw new AppError("conflict", `The run waits for no answer to ${body.question}.`);
      return examples.answerRun.response;
    },
    listRunHooks: () => examples.listRunHooks.response,
    receiveHook: () => examples.receiveHook.response,
    askBroker: () => examples.askBroker.response,
    useRunTool: () => examples.useRunTool.response,
    sendMessage: () => examples.sendMessage.response,
    listMessages: () => ({ items: examples.listMessages.response.items.map((one) => this.#saying(one)), next: null }),
    getMessage: () => this.#saying(examples.getMessage.response),
    answerMessage: () => examples.answerMessage.response,
    replayMessage: () => examples.replayMessage.response,
    listDeadLetters: () => ({
      items: examples.listDeadLetters.response.items.map((letter) => ({ ...letter, message: this.#saying(letter.message) })),
      next: null,
    }),
    getMessageCounters: () => examples.getMessageCounters.response,
    listSubscriptions: () => examples.listSubscriptions.response,
    subscribe: () => examples.subscribe.response,
    unsubscribe: () => examples.unsubscribe.response,
    sendToRun: () => examples.sendToRun.response,
    attachToRun: () => examples.attachToRun.response,
    listReports: () => examples.listReports.response,
    getReport: () => examples.getReport.response,
    listAgents: () => examples.listAgents.response,
    getQueue: () => this.#queue(),
    changeQueue: ({ body }) => {
      this.paused = body.paused;
      return this.#queue();
    },
    clearQueue: () => {
      const queued = this.tasks.filter((task) => task.status === "queued");
      for (const task of queued) this.#move(task.key, "cancelled");
      return { cancelled: queued.length };
    },
    listMerges: () => examples.listMerges.response,
    addMerge: () => examples.addMerge.response,
    removeMerge: () => examples.removeMerge.response,
    listWorkers: () => examples.listWorkers.response,
    stopWorker: ({ params }) => ({ ...examples.stopWorker.response, number: params.worker }),
    listCircuits: () => examples.listCircuits.response,
    resetCircuit: () => examples.resetCircuit.response,
    listAccounts: () => examples.listAccounts.response,
    resetAccount: () => examples.resetAccount.response,
    listEvents: ({ query }) => {
      const taskId = query.task === undefined ? undefined : this.#find(query.task).id;
      if (query.last)
        return { items: this.#events.eventsAfter(0, { ...(taskId && { taskId }), limit: Infinity }).slice(-query.limit), next: null };
      const items = this.#events.eventsAfter(Number(query.after ?? 0), { ...(taskId && { taskId }), limit: query.limit });
      return { items, next: items.length === query.limit ? String(items.at(-1)?.sequence) : null };
    },
    listAudit: () => ({
      items: examples.listAudit.response.items.map((entry) => ({ ...entry, subject: this.hostileText ?? entry.subject })),
      next: null,
    }),
    listAlerts: () => ({
      items: examples.listAlerts.response.items.map((alert) => ({ ...alert, message: this.hostileText ?? alert.message })),
      next: null,
    }),
    listChannels: () => examples.listChannels.response,
    testChannel: ({ params }) => {
      if (params.channel !== "team") throw new AppError("unavailable", `Channel ${params.channel} (slack) was not told. It answered 500`);
      return { channel: params.channel, sent: true };
    },
    dismissAlert: ({ params }) => ({ ...examples.dismissAlert.response, id: params.alert }),
    backUpStore: () => examples.backUpStore.response,
    verifyStore: () => {
      throw new TypeError("Cannot read properties of undefined (reading 'rows')");
    },
    receiveGithubWebhook: ({ body, headers }) => ({
      accepted: headers["x-hub-signature-256"] === createHash("sha256").update(body).digest("hex"),
    }),
  });

  #noted(control: Control): Control {
    const methods = control as unknown as Record<string, (request: Asked) => unknown>;
    const noted = Object.entries(methods).map(([name, answer]) => [
      name,
      (request: Asked) => {
        this.asked.push({ name, actor: request.actor, params: request.params, body: request.body });
        const answered = answer(request);
        this.afterAnswer(name);
        return answered;
      },
    ]);
    return Object.fromEntries(noted) as Control;
  }

  #project(name: string) {
    if (name !== "api") throw new AppError("not_found", `There is no project ${name}. \`drover project list\` shows them.`);
    return { ...examples.getProject.response, path: this.projectPath, lastError: this.hostileText ?? null };
  }

  #queue() {
    const queued = this.tasks.filter((task) => task.status === "queued");
    return {
      ...examples.getQueue.response,
      paused: this.paused,
      queued: queued.length,
      next: queued.map((task, index) => ({ position: index + 1, task })),
    };
  }

  #list(query: RequestOf<"listTasks">["query"]) {
    const matching = this.tasks.filter((task) => query.status === undefined || task.status === query.status).toReversed();
    const from = Number(query.after ?? 0);
    const items = matching.slice(from, from + query.limit);
    return { items, next: from + query.limit < matching.length ? String(from + query.limit) : null };
  }

  #saying(message: Message): Message {
    return { ...message, payload: { ...message.payload, text: this.hostileText ?? message.payload.text } };
  }

  #create({ body, actor }: RequestOf<"createTask">): FiledTask {
    this.#project(body.project);
    const { idempotencyKey } = body;
    const known = this.tasks.find(({ source }) => source.key === idempotencyKey);
    if (known) return { ...known, created: false };
    const queued = this.tasks.filter((task) => task.status === "queued").length;
    if (queued >= QUEUE_MAX) {
      throw new AppError("unavailable", `${queued} tasks are queued, which is the most (daemon.queueMax). Try again later.`, {
        reason: "queue_full",
        retryAfterMs: 30_000,
      });
    }
    const number = this.tasks.length + 1;
    const { title, priority = 50, ...rest } = body;
    const { created: _, ...example } = examples.createTask.response;
    const task: Task = {
      ...example,
      id: newId("task"),
      number,
      key: `api#${number}`,
      title,
      priority,
      body: rest.body,
      dependsOn: this.tasks.flatMap(({ id, key }) => (rest.dependsOn.includes(key) ? [id] : [])),
      status: "queued",
      source: { ...example.source, key: idempotencyKey ?? newId("task"), actor },
      usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsdMicros: null },
    };
    this.tasks.push(task);
    return { ...task, created: true };
  }

  #card({ id, key, title, status, priority }: Task): Card {
    const [card] = examples.getBoard.response.cards;
    if (card === undefined) throw new TypeError("The example of a board has no card.");
    return { ...card, id, key, title: this.hostileText ?? title, status, priority };
  }

  #find(name: string): Task {
    const task = this.tasks.find((one) => one.key === name || one.id === name);
    if (task === undefined) throw new AppError("not_found", `There is no task ${name}. \`drover task list\` shows them.`);
    return task;
  }

  #move(name: string, status: TaskStatus): Task {
    const task = this.#find(name);
    task.status = status;
    return task;
  }
}

type Asked = Pick<RequestOf<"getTask">, "actor"> & { params: unknown; body: unknown };

export async function* lines(...texts: string[]): AsyncGenerator<{ text: string }> {
  for (const text of texts) yield await Promise.resolve({ text });
}

function defined<Value extends object>(value: Value): { [Key in keyof Value]: NonNullable<Value[Key]> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [Key in keyof Value]: NonNullable<Value[Key]>;
  };
}
