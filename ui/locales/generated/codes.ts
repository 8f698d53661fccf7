export const sourceLocale = `en`;
export const targetLocales = [`de`] as const;
