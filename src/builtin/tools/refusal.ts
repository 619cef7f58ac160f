import { AppError } from "../../base/errors.ts";

/** An attempt to leave what a tool may reach. It goes back to the model as any failure, and to the audit as `refused`. */
export function refusal(message: string): AppError {
  return new AppError("invalid", message, { refused: true });
}

export function isRefusal(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.details["refused"] === true;
}
