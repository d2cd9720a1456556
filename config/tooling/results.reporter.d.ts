/** Types of results.reporter.js, for its test. */
export default class ResultsReporter {
  constructor(globalConfig: object);
  onTestResult(test: object, result: object): void;
}
