import { html, type TemplateResult } from "lit";
import type { Panel } from "../panel.ts";
import "../parts/page-later.ts";
import type { PageName, Route } from "../routes.ts";
import "./front.ts";
import "./home.ts";
import "./nowhere.ts";
import "./sign-in.ts";
import "./sign-up.ts";

type ProviderRoom = "machines" | "moves" | "findings";
type Show = (panel: Panel, params: Route["params"]) => TemplateResult;

/** A page that is fetched when somebody goes there; its element is drawn when it is known. */
const fetched =
	(load: () => Promise<unknown>, show: Show): Show =>
	(panel, params) =>
		html`<page-later .load=${load} .page=${() => show(panel, params)}></page-later>`;

const ofProvider = (room: ProviderRoom): Show =>
	fetched(
		() => import("./provider.ts"),
		(panel) => html`<page-provider .panel=${panel} .room=${room}></page-provider>`,
	);

/** Every page as the element that is it. */
export const pages: Readonly<Record<PageName, Show>> = {
	front: (panel) => html`<page-front .panel=${panel}></page-front>`,
	"sign-up": (panel) => html`<page-sign-up .panel=${panel}></page-sign-up>`,
	"sign-in": (panel) => html`<page-sign-in .panel=${panel}></page-sign-in>`,
	home: (panel) => html`<page-home .panel=${panel}></page-home>`,
	new: fetched(
		() => import("./new.ts"),
		(panel) => html`<page-new .panel=${panel}></page-new>`,
	),
	deployment: fetched(
		() => import("./deployment.ts"),
		(panel, { domain }) => html`<page-deployment .panel=${panel} .domain=${domain}></page-deployment>`,
	),
	job: fetched(
		() => import("./job.ts"),
		(panel, { domain, id }) => html`<page-job .panel=${panel} .domain=${domain} .job=${id}></page-job>`,
	),
	move: fetched(
		() => import("./move.ts"),
		(panel, { domain }) => html`<page-move .panel=${panel} .domain=${domain}></page-move>`,
	),
	"move-in": fetched(
		() => import("./move-in.ts"),
		(panel) => html`<page-move-in .panel=${panel}></page-move-in>`,
	),
	notices: fetched(
		() => import("./notices.ts"),
		(panel) => html`<page-notices .panel=${panel}></page-notices>`,
	),
	account: fetched(
		() => import("./account.ts"),
		(panel) => html`<page-account .panel=${panel}></page-account>`,
	),
	provider: ofProvider("machines"),
	"provider-moves": ofProvider("moves"),
	"provider-findings": ofProvider("findings"),
	nowhere: (panel) => html`<page-nowhere .panel=${panel}></page-nowhere>`,
};
