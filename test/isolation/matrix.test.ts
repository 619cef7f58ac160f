import { describeLane } from "../conformance/matrix.ts";
import { lanes } from "../support/lanes.ts";

for (const lane of lanes) describeLane(lane);
