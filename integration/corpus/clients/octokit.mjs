// What Octokit sends, one operation a line.
import { Octokit } from '@octokit/rest'

const octokit = new Octokit({ auth: process.env.GITHUB_TOKEN })
const site = { owner: 'acme', repo: 'site' }

export default {
  'pull request': () => octokit.rest.pulls.create({ ...site, title: 'Ship', head: 'feature', base: 'main' }),
  merge: () => octokit.rest.pulls.merge({ ...site, pull_number: 12, merge_method: 'squash' }),
  'close pull request': () => octokit.rest.pulls.update({ ...site, pull_number: 12, state: 'closed' }),
  review: () => octokit.rest.pulls.createReview({ ...site, pull_number: 12, event: 'APPROVE' }),
  issue: () => octokit.rest.issues.create({ ...site, title: 'Broken', labels: ['bug'] }),
  'close issue': () => octokit.rest.issues.update({ ...site, issue_number: 3, state: 'closed', state_reason: 'completed' }),
  comment: () => octokit.rest.issues.createComment({ ...site, issue_number: 3, body: 'hello' }),
  branch: () => octokit.rest.git.createRef({ ...site, ref: 'refs/heads/next', sha: 'a'.repeat(40) }),
  'delete branch': () => octokit.rest.git.deleteRef({ ...site, ref: 'heads/feature/x' }),
  'write file': () => octokit.rest.repos.createOrUpdateFileContents({ ...site, path: 'docs/a b.md', message: 'm', content: 'aGVsbG8=', branch: 'main' }),
  'read file': () => octokit.rest.repos.getContent({ ...site, path: 'docs/a.md' }),
  'run workflow': () => octokit.rest.actions.createWorkflowDispatch({ ...site, workflow_id: 'deploy.yml', ref: 'main' }),
  'delete repository': () => octokit.rest.repos.delete(site),
  search: () => octokit.rest.search.issuesAndPullRequests({ q: 'repo:acme/site is:open' }),
  'graphql query': () => octokit.graphql('query($owner:String!){ repository(owner:$owner, name:"site"){ id pullRequest(number:12){ title } } }', { owner: 'acme' }),
  'graphql merge': () =>
    octokit.graphql('mutation Go($id:ID!){ done: mergePullRequest(input:{pullRequestId:$id, mergeMethod:SQUASH}){ ...all } } fragment all on MergePullRequestPayload { clientMutationId }', { id: 'PR_1' }),
}
