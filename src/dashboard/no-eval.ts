import { z } from "zod";

// Before any schema is made: it would look whether code can be made of text, which the policy of this page forbids and reports.
z.config({ jitless: true });
