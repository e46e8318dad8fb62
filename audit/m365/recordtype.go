package m365

import "github.com/otelcol-custody/custody/audit/internal/draft"

// recordTypes are the names of the common types of records.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema#auditlogrecordtype
var recordTypes = map[string]string{
	"1": "ExchangeAdmin", "2": "ExchangeItem", "3": "ExchangeItemGroup", "4": "SharePoint", "6": "SharePointFileOperation", "7": "OneDrive",
	"8": "AzureActiveDirectory", "9": "AzureActiveDirectoryAccountLogon", "10": "DataCenterSecurityCmdlet", "11": "ComplianceDLPSharePoint",
	"13": "ComplianceDLPExchange", "14": "SharePointSharingOperation", "15": "AzureActiveDirectoryStsLogon", "18": "SecurityComplianceCenterEOPCmdlet",
	"19": "ExchangeAggregatedOperation", "20": "PowerBIAudit", "21": "CRM", "22": "Yammer", "24": "Discovery", "25": "MicrosoftTeams",
	"28": "ThreatIntelligence", "29": "MailSubmission", "30": "MicrosoftFlow", "35": "Project", "36": "SharePointListOperation",
	"38": "DataGovernance", "40": "SecurityComplianceAlerts", "41": "ThreatIntelligenceUrl", "42": "SecurityComplianceInsights",
	"45": "PowerAppsApp", "47": "ThreatIntelligenceAtpContent", "50": "ExchangeItemAggregated", "52": "DataInsightsRestApiAudit",
	"54": "SharePointListItemOperation", "55": "SharePointContentTypeOperation", "56": "SharePointFieldOperation", "57": "MicrosoftTeamsAdmin",
	"63": "DLPEndpoint", "64": "AirInvestigation", "65": "Quarantine", "66": "MicrosoftForms", "67": "ApplicationAudit",
}

// recordType is the name of a type, or the number where there is none here.
func recordType(number string) string { return draft.First(recordTypes[number], number) }
