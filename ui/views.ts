/** What the node tells the panel, by the words the panel uses for it. */
import type { Answer } from "#protocol/client.ts";

export type Provider = Answer<"GET /provider">;
export type ServiceCard = Answer<"GET /services">["items"][number];
export type Me = Answer<"GET /me">;
export type Language = Me["language"];
export type Session = Answer<"GET /me/sessions">["items"][number];
export type Token = Answer<"GET /me/tokens">["items"][number];
export type SshKey = Answer<"GET /me/ssh-keys">["items"][number];
export type Entitlement = Answer<"GET /me/entitlements">["items"][number];
export type NoticeSettings = Answer<"GET /me/notice-settings">;
export type Domain = Answer<"GET /domains">["items"][number];
export type Records = Answer<"GET /domains/{domain}/records">;
export type DnsRecord = Records["records"][number];
export type Deployment = Answer<"GET /deployments/{id}">;
export type ServiceStatus = Deployment["services"][number];
export type Probe = ServiceStatus["probes"][number];
export type Credentials = Answer<"POST /deployments/{id}/services/{service}/credentials">;
export type HistoryEntry = Answer<"GET /deployments/{id}/history">["items"][number];
export type Job = Answer<"GET /jobs/{id}">;
export type JobHead = Answer<"GET /jobs">["items"][number];
export type Step = Job["steps"][number];
export type LogLine = Answer<"GET /jobs/{id}/log">["lines"][number];
export type Notice = Answer<"GET /notices">["items"][number];
export type Delivery = Answer<"GET /notices/deliveries">["items"][number];
