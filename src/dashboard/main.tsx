// oxlint-disable-next-line import/no-unassigned-import -- Before everything else, for what it does.
import "./no-eval.ts";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { Live } from "./live/live.ts";
import { LiveContext } from "./live/use-live.ts";
import { applyTheme, chosenTheme } from "./theme.ts";
import { Toasts } from "./ui/toasts.tsx";
// oxlint-disable-next-line import/no-unassigned-import -- The bundler takes it from here.
import "./style.css";

applyTheme(chosenTheme());
// A part of an older build that is not there any more: this page is out of date.
addEventListener("vite:preloadError", () => location.reload());

const live = new Live();
live.start();
const root = document.getElementById("root");
if (root === null) throw new Error("The page has no element #root.");
createRoot(root).render(
  <StrictMode>
    <LiveContext value={live}>
      <Toasts>
        <App />
      </Toasts>
    </LiveContext>
  </StrictMode>,
);
