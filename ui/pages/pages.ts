import { html, type TemplateResult } from "lit";
import type { Panel } from "../panel.ts";
import type { PageName, Route } from "../routes.ts";
import "./account.ts";
import "./deployment.ts";
import "./front.ts";
import "./home.ts";
import "./job.ts";
import "./new.ts";
import "./notices.ts";
import "./nowhere.ts";
import "./sign-in.ts";
import "./sign-up.ts";

type Show = (panel: Panel, params: Route["params"]) => TemplateResult;

/** Every page as the element that is it. */
export const pages: Readonly<Record<PageName, Show>> = {
	front: (panel) => html`<page-front .panel=${panel}></page-front>`,
	"sign-up": (panel) => html`<page-sign-up .panel=${panel}></page-sign-up>`,
	"sign-in": (panel) => html`<page-sign-in .panel=${panel}></page-sign-in>`,
	home: (panel) => html`<page-home .panel=${panel}></page-home>`,
	new: (panel) => html`<page-new .panel=${panel}></page-new>`,
	deployment: (panel, { domain }) => html`<page-deployment .panel=${panel} .domain=${domain}></page-deployment>`,
	job: (panel, { domain, id }) => html`<page-job .panel=${panel} .domain=${domain} .job=${id}></page-job>`,
	notices: (panel) => html`<page-notices .panel=${panel}></page-notices>`,
	account: (panel) => html`<page-account .panel=${panel}></page-account>`,
	nowhere: (panel) => html`<page-nowhere .panel=${panel}></page-nowhere>`,
};
