import { z } from "zod";
import { Account, Circuit } from "./circuit.ts";
import { route, type Route } from "./route.ts";

/** What can be asked of circuit breakers and of the providers' accounts. */
export const circuitRoutes = {
  listCircuits: route({
    method: "GET",
    path: "/api/circuits",
    summary: "The circuit breakers: of the system, of each agent, of each stage",
    response: z.object({ items: z.array(Circuit) }),
  }),
  resetCircuit: route({
    method: "POST",
    path: "/api/circuits/{circuit}/reset",
    summary: "Close a circuit breaker: what it held up starts again",
    response: Circuit,
  }),
  listAccounts: route({
    method: "GET",
    path: "/api/accounts",
    summary: "The providers' accounts that agents share, with their limits",
    response: z.object({ items: z.array(Account) }),
  }),
  resetAccount: route({
    method: "POST",
    path: "/api/accounts/{account}/reset",
    summary: "Forget what limits an account is known to be at: what waited for it starts again",
    response: Account,
  }),
} as const satisfies Record<string, Route>;
