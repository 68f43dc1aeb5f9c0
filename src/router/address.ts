// Where OpenRouter is. Constants of the build: no setting, query or message changes where a key is sent.

export const openRouterSite = 'https://openrouter.ai';
export const openRouterApi = `${openRouterSite}/api/v1`;
