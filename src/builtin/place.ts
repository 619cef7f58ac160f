/** Where an order is carried out. */
export interface Place {
  /** The folder that the agent works in; absolute. */
  readonly workspace: string;
  /** Of the run, with the key of its provider. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file that names the control groups which its commands are to join; null: they are in the right ones already. */
  readonly groups: string | null;
}
