import type { PrdFormat } from "../contract/prd.ts";

/** A PRD to begin with, in each form; all three say the same. */
export const prdTemplates: Readonly<Record<PrdFormat, string>> = {
  md: `---
title: Sums on the command line
constraints:
  - No new dependency
outOfScope:
  - Numbers that are not whole
---

People want to add numbers without opening a spreadsheet. Say here why this is wanted, and for whom.

## Adding

What adds the numbers.

### R1: The sum of two numbers

A function that the rest can use.

Acceptance:

- sum(1, 2) is 3
- sum(-1, 1) is 0

## Command line

What people type.

### R2: A command prints the sum

\`sum 1 2\` prints it on a line of its own.

After: R1

Acceptance:

- \`sum 1 2\` prints 3 and ends with exit code 0
- \`sum 1 x\` says which argument is no number and ends with exit code 2
`,
  yaml: `title: Sums on the command line
summary: People want to add numbers without opening a spreadsheet. Say here why this is wanted, and for whom.
constraints:
  - No new dependency
outOfScope:
  - Numbers that are not whole
features:
  - name: Adding
    description: What adds the numbers.
    requirements:
      - id: R1
        title: The sum of two numbers
        description: A function that the rest can use.
        acceptance:
          - sum(1, 2) is 3
          - sum(-1, 1) is 0
  - name: Command line
    description: What people type.
    requirements:
      - id: R2
        title: A command prints the sum
        description: "\`sum 1 2\` prints it on a line of its own."
        after: [R1]
        acceptance:
          - "\`sum 1 2\` prints 3 and ends with exit code 0"
          - "\`sum 1 x\` says which argument is no number and ends with exit code 2"
`,
  json: `{
  "title": "Sums on the command line",
  "summary": "People want to add numbers without opening a spreadsheet. Say here why this is wanted, and for whom.",
  "constraints": ["No new dependency"],
  "outOfScope": ["Numbers that are not whole"],
  "features": [
    {
      "name": "Adding",
      "description": "What adds the numbers.",
      "requirements": [
        {
          "id": "R1",
          "title": "The sum of two numbers",
          "description": "A function that the rest can use.",
          "acceptance": ["sum(1, 2) is 3", "sum(-1, 1) is 0"]
        }
      ]
    },
    {
      "name": "Command line",
      "description": "What people type.",
      "requirements": [
        {
          "id": "R2",
          "title": "A command prints the sum",
          "description": "\`sum 1 2\` prints it on a line of its own.",
          "after": ["R1"],
          "acceptance": [
            "\`sum 1 2\` prints 3 and ends with exit code 0",
            "\`sum 1 x\` says which argument is no number and ends with exit code 2"
          ]
        }
      ]
    }
  ]
}
`,
};
