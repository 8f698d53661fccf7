import type { Choice } from "../choice.ts";
import { Draft } from "./draft.ts";

/** What was chosen for a new deployment and not yet started; also what is offered again after a start that was undone. */
export const newDraft = new Draft<Choice>("new");

export const nothingChosen: Choice = { typed: "", domain: null, services: [], username: "admin" };
