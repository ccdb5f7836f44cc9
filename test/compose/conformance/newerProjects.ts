import type { Case } from '../cases.ts';

const composeFiles = ['compose.yaml', 'over.yaml'];

/** Projects of several files that only newer versions of Compose read. */
export const NEWER_PROJECTS: Record<string, Case> = {
  'models of an include': {
    files: {
      'compose.yaml': 'include: [ai.yaml]\nservices: {web: {image: web}}\n',
      'ai.yaml': 'services: {bot: {image: bot, models: [llm]}}\nmodels: {llm: {model: ai/smollm2}}\n',
    },
  },
  'an include that a later file takes away': {
    files: {
      'compose.yaml': 'include: [a.yaml]\nservices: {web: {image: web}}\n',
      'a.yaml': 'services: {a: {image: a}}\n',
      'over.yaml': 'include: !reset []\nservices: {web: {environment: {A: "1"}}}\n',
    },
    composeFiles,
  },
};
