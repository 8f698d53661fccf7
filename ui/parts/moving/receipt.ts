/** What the file is called when it is kept. */
export function receiptName(domain: string): string {
	return `${domain}-receipt.json`;
}

/** Hands a receipt to the browser as a file. */
export function keepReceipt(domain: string, receipt: unknown): void {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(new Blob([JSON.stringify(receipt)], { type: "application/json" }));
	link.download = receiptName(domain);
	link.click();
	URL.revokeObjectURL(link.href);
}
