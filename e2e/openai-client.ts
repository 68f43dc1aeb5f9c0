// The client as a program would import it, for a page of the tests.
export { OpenAI } from 'openai-6';
